"""The read models over a workspace in full swing and over an empty one, and that none of them loads the pool."""

from __future__ import annotations

import pytest

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import quality
from attune.labeler.views.assets import asset, assets
from attune.labeler.views.attribute_page import live
from attune.labeler.views.attribute_tabs import label_tab, manage_tab, results_tab, versions_tab
from attune.labeler.views.gallery import GalleryRequest
from attune.labeler.views.home import home
from attune.labeler.views.jobs import jobs_page
from attune.labeler.views.people import people
from attune.models.errors import UnknownAsset, UnknownAttribute
from tests.labeler.views.conftest import OWNER
from tests.support import factories
from tests.support.databases import statements


def test_home_shows_every_attribute_in_its_state(studio: Settings) -> None:
    cards = {card.name: card for card in home(studio, OWNER).cards.items}
    assert {name: card.state for name, card in cards.items()} == {
        "dread": "seeding",
        "romance": "labelling",
        "serious-expression": "published",
        "tender": "needs definition",
    }
    assert cards["serious-expression"].champion == 21
    assert cards["serious-expression"].quality.n == 33
    assert "audit answers" in cards["romance"].quality.why
    assert "No probe" in cards["dread"].quality.why


def test_home_puts_ones_own_queues_first(studio: Settings, ana: Viewer) -> None:
    cards = home(studio, ana).cards.items
    assert [bool(card.queue_url) for card in cards] == [True, True, True, False]
    assert cards[0].queue_url.startswith(f"{studio.label_studio_browser_address}/projects/")


def test_an_attributes_page_has_what_its_reader_needs(studio: Settings, ana: Viewer) -> None:
    experts, owners = (label_tab(studio, who, "serious-expression") for who in (ana, OWNER))
    assert experts.head.queue_url is not None
    assert owners.head.queue_url is None
    queues = manage_tab(studio, OWNER, "serious-expression").queues
    assert [queue.expert for queue in queues] == ["Ana", "Bo", "Chidi"]
    published = versions_tab(studio, OWNER, "serious-expression")
    assert published.versions.items[0].aliases == ["champion"]
    assert published.moves.items[0].reason.startswith("First version")
    results = results_tab(studio, OWNER, "serious-expression", GalleryRequest())
    assert "99 labels" in results.forecast.advice.evidence[0]
    answered = [point.answers for point in results.curve]
    assert answered == sorted(answered)
    assert all(point.indication.known for point in results.curve)


def test_an_example_that_is_an_image_of_the_pool_is_shown_as_one(settings: Settings) -> None:
    (there,) = factories.add_assets(settings, 1)
    factories.add_attribute(settings, in_scope=[there.asset_id, "two people who kiss"])
    shown = label_tab(settings, OWNER, "romance").in_scope
    assert [example.picture is not None for example in shown] == [True, False]


def test_the_live_counts_change_their_stamp_only_with_more_than_counts(settings: Settings) -> None:
    romance, (one, two) = factories.add_attribute(settings), factories.add_assets(settings, 2)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    factories.add_answer(settings, queue, one, "romance")
    first = live(settings, OWNER, "romance").to_dict()
    factories.add_answer(settings, queue, two, "neither")
    second = live(settings, OWNER, "romance").to_dict()
    factories.add_run(settings, romance, 2)
    third = live(settings, OWNER, "romance").to_dict()
    assert (first["answers"], second["answers"]) == (1, 2)
    assert first["stamp"] == second["stamp"] != third["stamp"]


def test_an_unknown_attribute_is_an_error_with_near_names(studio: Settings) -> None:
    with pytest.raises(UnknownAttribute, match="Did you mean 'tender'"):
        label_tab(studio, OWNER, "tendre")


def test_every_page_is_right_over_empty_records(settings: Settings) -> None:
    assert home(settings, OWNER).cards.total == 0
    assert people(settings).total == 0
    assert assets(settings, OWNER).pictures.total == 0
    assert jobs_page(settings).groups.total == 0
    factories.add_attribute(settings)
    bare = label_tab(settings, OWNER, "romance")
    assert (bare.head.live.state, bare.recent.total, bare.disputed.total) == ("seeding", 0, 0)
    results = results_tab(settings, OWNER, "romance", GalleryRequest())
    assert (results.curve, results.gallery.images.total) == ([], 0)
    assert home(settings, OWNER).cards.items[0].step.command == "attune assets add PATH"


def test_a_page_beyond_the_last_is_the_last(studio: Settings) -> None:
    assert assets(studio, OWNER, page=99).pictures.number == 2
    assert len(assets(studio, OWNER, page=99).pictures.items) == 12
    assert assets(studio, OWNER, page=-3).pictures.first == 1


@pytest.mark.parametrize(("query", "found"), [("img-", 60), ("%", 0), ("_mg", 0), ("'; --", 0), ("IMG-", 60)])
def test_search_takes_every_sign_for_itself(studio: Settings, query: str, found: int) -> None:
    assert assets(studio, OWNER, query).pictures.total == found


def test_an_image_that_is_not_ones_to_see_is_as_if_it_were_not_there(studio: Settings, ana: Viewer) -> None:
    last = assets(studio, OWNER, page=2).pictures.items[-1]
    assert asset(studio, OWNER, last.pk).asset_id == last.asset_id
    with pytest.raises(UnknownAsset):
        asset(studio, ana, last.pk)


def test_jobs_are_counted_by_state_and_filtered(studio: Settings) -> None:
    shown = jobs_page(studio, "failed")
    assert [job.error for job in shown.groups.items] == ["Gate alpha: .04 is below .2."]
    assert shown.counts == {"running": 1, "queued": 1, "failed": 1, "lost": 0, "done": 1}
    assert jobs_page(studio, "no such state").groups.total == 4


def test_the_number_of_queries_does_not_grow_with_what_is_shown(studio: Settings, settings: Settings) -> None:
    factories.add_attribute(settings)
    for read in (lambda where: home(where, OWNER), lambda where: live(where, OWNER, "romance"), people):
        with statements(studio) as full:
            read(studio)
        with statements(settings) as bare:
            read(settings)
        assert len(full) <= len(bare) + 1


def test_no_page_reads_the_bytes_of_probes(studio: Settings) -> None:
    with statements(studio) as seen:
        home(studio, OWNER)
        for read in (label_tab, versions_tab, manage_tab):
            read(studio, OWNER, "serious-expression")
        results_tab(studio, OWNER, "serious-expression", GalleryRequest())
    assert not [statement for statement in seen if "runs.probe" in statement]


def test_a_curve_ends_with_the_newest_run_also_where_answers_were_set_aside(settings: Settings) -> None:
    """It jumped back: what was learned from fewer answers stood in the middle, and the end was of before."""
    romance = factories.add_attribute(settings)
    for answers, value in ((100, 0.5), (200, 0.55), (300, 0.6), (180, 0.95)):
        factories.add_run(settings, romance, answers, value)
    with reading(settings) as session:
        points = quality.curve(session, romance.id)
    assert [(one.answers, one.audit.value) for one in points] == [(100, 0.5), (180, 0.95)]
    factories.add_run(settings, romance, 310, 0.9)
    with reading(settings) as session:
        assert [one.answers for one in quality.curve(session, romance.id)] == [100, 180, 310]


def test_a_long_curve_is_thinned_and_keeps_both_ends(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    for answers in range(1, 101):
        factories.add_run(settings, romance, answers)
    factories.add_run(settings, romance, 100, 0.5)  # the newest run of the same answers counts
    with reading(settings) as session:
        points = quality.curve(session, romance.id, points=10)
        assert session.query(Run).count() == 101
    assert [points[0].answers, points[-1].answers] == [1, 100]
    assert points[-1].audit.value == 0.5
    assert len(points) == 10
