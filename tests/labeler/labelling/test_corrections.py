"""One's own answer is corrected alone: of a task or of a page, under the rules of the labelling page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.labelling import corrections, take_answers, take_pages
from attune.labeler.labelling.corrections import NO_ANSWER
from attune.labeler.labelling.take_answers import GONE, REVISED, STORED
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError, LabelStudioUnreachable
from tests.support import factories
from tests.support.desk import Desk, answer
from tests.support.page_desk import PageDesk, tick


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(factories.workspace(tmp_path), 4)
    monkeypatch.setattr(take_answers, "label_studio", lambda _: made.store)
    made.take(answer(made.tasks[0], "yes"), answer(made.tasks[1], "no"))
    return made


def page_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: tuple[str, ...]) -> PageDesk:
    made = PageDesk(factories.workspace(tmp_path), 2, classes=classes)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: made.store)
    return made


def of_image(settings: Settings, key: int) -> Annotation:
    with reading(settings) as session:
        return session.scalars(select(Annotation).where(Annotation.asset_pk == key)).one()


def change(settings: Settings, viewer: Viewer, name: str, given: Annotation, value: str, revision: int = 1) -> str:
    return corrections.change(settings, viewer, name, given.id, revision, value, str(uuid4()))


def found(settings: Settings, viewer: Viewer, name: str, given: Annotation) -> corrections.Correction | None:
    with reading(settings) as session:
        return corrections.find(session, viewer, name, given.id)


def test_an_answer_about_a_single_image_says_what_was_said_and_changes(desk: Desk) -> None:
    given = of_image(desk.settings, desk.tasks[0].asset_pk)
    here = found(desk.settings, desk.viewer, "romance", given)
    assert here is not None
    assert (here.value, list(here.values)) == ("yes", ["yes", "no", "unsure", "skip"])
    assert change(desk.settings, desk.viewer, "romance", given, "no") == STORED
    assert of_image(desk.settings, desk.tasks[0].asset_pk).value == "no"
    assert change(desk.settings, desk.viewer, "romance", given, "unsure") == STORED
    assert of_image(desk.settings, desk.tasks[0].asset_pk).value == "unsure"


def test_a_correction_keeps_the_seconds_of_the_first_look_and_its_own_beside_them(desk: Desk) -> None:
    key = desk.tasks[0].asset_pk
    first = of_image(desk.settings, key)
    assert first.lead_seconds
    assert change(desk.settings, desk.viewer, "romance", first, "no") == STORED
    desk.take(replace(answer(desk.tasks[0], "unsure"), seconds=7.0))
    kept = of_image(desk.settings, key)
    assert (kept.value, kept.lead_seconds, kept.total_seconds) == ("unsure", first.lead_seconds, first.lead_seconds + 7)


def test_what_was_corrected_before_it_was_sent_keeps_the_seconds_of_the_first_look_too(desk: Desk) -> None:
    slow, again = desk.tasks[2], desk.tasks[3]
    desk.take(replace(answer(slow, "no"), seconds=3.0, more=1.0, is_first=True))
    kept = of_image(desk.settings, slow.asset_pk)
    assert (kept.lead_seconds, kept.total_seconds) == (3.0, 4.0)
    desk.take(replace(answer(again, "no"), seconds=3.0, is_first=True))
    desk.take(replace(answer(again, "yes"), seconds=2.0, more=1.0))
    kept = of_image(desk.settings, again.asset_pk)
    assert (kept.value, kept.lead_seconds, kept.total_seconds) == ("yes", 3.0, 6.0)


def test_a_page_that_was_corrected_before_it_was_sent_shares_the_first_looks_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = page_desk(tmp_path, monkeypatch, ("tender", "other"))
    page = desk.pages[0]
    desk.take(replace(tick(page, 0), more=12.0, is_first=True))
    assert {of_image(desk.settings, key).lead_seconds for key in page.asset_pks} == {24.0 / 12}
    assert desk.store.rows[page.label_studio_task]["lead_time"] == 36.0, "Label Studio adds up all looks"


def test_nobody_corrects_for_somebody_else_and_what_is_deleted_stays_so(desk: Desk) -> None:
    given = of_image(desk.settings, desk.tasks[0].asset_pk)
    bo = Viewer("expert", "bo@desk.example", desk.other.expert_id, 2)
    for viewer in (bo, Viewer("owner", "olga@desk.example", user_id=3)):
        assert found(desk.settings, viewer, "romance", given) is None
        assert change(desk.settings, viewer, "romance", given, "no") == GONE
    assert of_image(desk.settings, desk.tasks[0].asset_pk).value == "yes"


def test_a_question_that_changed_meanwhile_takes_no_correction_to_the_old_one(desk: Desk) -> None:
    given = of_image(desk.settings, desk.tasks[0].asset_pk)
    with reading(desk.settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "romance"))
    renamed = {"yes": "love", "no": "other"}
    revise_attribute.revise(desk.settings, replace(held, classes=("love", "other")), "Clearer.", renamed)
    assert change(desk.settings, desk.viewer, "romance", given, "no") == REVISED
    here = found(desk.settings, desk.viewer, "romance", given)
    assert here is not None
    assert (here.value, list(here.values)) == ("love", ["love", "other", "unsure", "skip"])
    with pytest.raises(DataError, match="Expected one of love, other, unsure, skip"):
        change(desk.settings, desk.viewer, "romance", given, "no", revision=2)


def test_without_label_studio_nothing_is_changed(desk: Desk) -> None:
    given = of_image(desk.settings, desk.tasks[0].asset_pk)
    desk.store.away = True
    with pytest.raises(LabelStudioUnreachable):
        change(desk.settings, desk.viewer, "romance", given, "no")
    assert of_image(desk.settings, desk.tasks[0].asset_pk).value == "yes"


def test_an_answer_on_a_page_changes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = page_desk(tmp_path, monkeypatch, ("tender", "other"))
    page = desk.pages[0]
    desk.take(tick(page, 0, 2, unsure=[1], left=[5]))
    before = desk.said(page)
    here = found(desk.settings, desk.viewer, "tender", of_image(desk.settings, page.asset_pks[3]))
    assert here is not None
    assert (here.value, list(here.values)) == ("other", ["tender", "other", "unsure"])
    for place, value in ((3, "tender"), (0, "other"), (2, "unsure"), (1, "tender")):
        given = of_image(desk.settings, page.asset_pks[place])
        assert change(desk.settings, desk.viewer, "tender", given, value) == STORED
        before[place] = value
        assert desk.said(page) == before, f"place {place}"


def test_where_no_tick_is_no_answer_a_tick_can_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = page_desk(tmp_path, monkeypatch, ("romance", "friendship", "neither"))
    page = desk.pages[0]
    desk.take(tick(page, 0, 2))
    given = of_image(desk.settings, page.asset_pks[2])
    assert change(desk.settings, desk.viewer, "tender", given, NO_ANSWER) == STORED
    assert desk.said(page) == {0: "romance"}
    assert found(desk.settings, desk.viewer, "tender", given) is None, "there is no answer any more"


def test_an_answer_on_a_page_of_an_older_question_can_not_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = page_desk(tmp_path, monkeypatch, ("tender", "other"))
    desk.take(tick(desk.pages[0], 0))
    with reading(desk.settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "tender"))
    revise_attribute.revise(desk.settings, replace(held, question="Cold?"), "Clearer.")
    given = of_image(desk.settings, desk.pages[0].asset_pks[0])
    with reading(desk.settings) as session:
        assert corrections.correctable(session, [given.id]) == set()
    assert change(desk.settings, desk.viewer, "tender", given, "other", revision=2) == GONE
