"""What moves on an expert's pages: not with every answer, or each would tell whether it was an audit."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from attune.labeler.answers import label_errors, told_errors
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import LabelError, ToldLabelError
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.attribute_tabs import ResultsTab, results_tab
from attune.labeler.views.gallery import GalleryRequest
from attune.labeler.views.home import home
from attune.models.labels.label_errors import SuspectedError
from tests.labeler.views.conftest import OWNER
from tests.support import factories


def test_an_experts_page_stands_still_between_twenties_and_never_goes_back(settings: Settings) -> None:
    romance, ana = factories.add_attribute(settings), factories.add_expert(settings)
    factories.add_queue(settings, romance, ana)
    expert = Viewer("expert", ana.email, ana.id)

    def results(viewer: Viewer) -> ResultsTab:
        return results_tab(settings, viewer, "romance", GalleryRequest())

    def figures(viewer: Viewer) -> tuple[object, ...]:
        page = results(viewer)
        (card,) = home(settings, viewer).cards.items
        advice = page.forecast.advice.text if page.forecast.advice else ""
        live = page.head.live
        return live.quality, live.to_dict()["stamp"], page.curve, card.quality, advice

    factories.add_run(settings, romance, 40, quality=0.8, advice={"advice": "first", "state": "labelling"})
    before = figures(expert)
    # The next answer is no audit, the one after is; then it is corrected, taken back, and given anew.
    for answers, quality in ((41, 0.8), (42, 0.82), (42, 0.79), (41, 0.8), (42, 0.82)):
        factories.add_run(settings, romance, answers, quality, advice={"advice": f"{quality}", "state": "labelling"})
        assert figures(expert) == before
    assert figures(OWNER) != before
    factories.add_run(settings, romance, 60, quality=0.9)
    assert figures(expert) != before
    assert results(expert).head.live.quality.value == 0.9
    factories.add_run(settings, romance, 59, quality=0.7)
    factories.add_run(settings, romance, 60, quality=0.95)
    assert results(expert).head.live.quality.value == 0.9
    with reading(settings) as session:
        assert visible_runs.newest(session, [romance.id], OWNER) == {romance.id: 9}
        assert visible_runs.to_experts(session, [romance.id]) == {romance.id: [1, 7]}


def test_answers_on_images_that_experts_chose_bring_no_figure(settings: Settings) -> None:
    """Or twenty of one title would: a figure that moves with them tells that they are learned from."""
    romance = factories.add_attribute(settings)
    factories.add_run(settings, romance, 40)
    factories.add_run(settings, romance, 64, chosen=24)
    factories.add_run(settings, romance, 83, chosen=24)
    factories.add_run(settings, romance, 84, chosen=24)
    with reading(settings) as session:
        assert visible_runs.to_experts(session, [romance.id]) == {romance.id: [1, 4]}


def test_the_list_of_suspects_that_experts_read_is_that_of_their_run(settings: Settings) -> None:
    """A list that moved with every run would tell which of the answers between two are learned from."""
    romance = factories.add_attribute(settings)
    ana = factories.add_expert(settings)
    queue = factories.add_queue(settings, romance, ana)
    first, second = factories.add_assets(settings, 2)
    for number, (answers, asset) in enumerate(((40, first), (41, second), (60, second)), 1):
        if number < 3:
            factories.add_answer(settings, queue, asset, "romance")
        factories.add_run(settings, romance, answers)
        suspect = SuspectedError(asset.asset_id, ana.email, "romance", "friendship", 0.9, 0.1)
        with writing(settings) as session:
            assert label_errors.replace(session, romance.id, number, [suspect]) == 1
        with reading(settings) as session:
            owners, experts = (session.scalars(select(one.run)).all() for one in (LabelError, ToldLabelError))
        assert (owners, experts) == ([number], [(1, 1, 3)[number - 1]])


@pytest.mark.parametrize("found", [0, 1])
def test_a_list_that_a_killed_worker_never_made_is_made_by_the_next_round_once(settings: Settings, found: int) -> None:
    romance = factories.add_attribute(settings)
    ana = factories.add_expert(settings)
    queue = factories.add_queue(settings, romance, ana)
    (asset,) = factories.add_assets(settings, 1)
    factories.add_answer(settings, queue, asset, "romance")
    suspected = [SuspectedError(asset.asset_id, ana.email, "romance", "friendship", 0.9, 0.1)]

    def owed() -> int | None:
        with reading(settings) as session:
            return told_errors.owed(session, romance.id)

    def made(run: int, listed: list[SuspectedError]) -> list[int]:
        with writing(settings) as session:
            label_errors.replace(session, romance.id, run, listed)
        with reading(settings) as session:
            return list(session.scalars(select(ToldLabelError.run)))

    assert owed() is None, "nobody has learned anything yet"
    factories.add_run(settings, romance, 40)
    assert made(1, suspected) == [1]
    factories.add_run(settings, romance, 60)
    assert owed() == 2
    factories.add_run(settings, romance, 61)
    assert owed() == 2, "the worker of run 2 was killed before its list"
    assert made(3, suspected[:found]) == [2] * found
    assert owed() is None
    factories.add_run(settings, romance, 62)
    assert made(4, suspected) == [2] * found, "until the next twenty"


def test_a_revision_begins_anew(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    factories.add_run(settings, romance, 60)
    factories.add_run(settings, romance, 30, revision=2)
    factories.add_run(settings, romance, 31, revision=2)
    with reading(settings) as session:
        assert visible_runs.to_experts(session, [romance.id]) == {romance.id: [1, 2]}
