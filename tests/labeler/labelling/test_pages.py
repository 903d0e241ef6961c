"""An expert's pages of images and their answers, against a Label Studio that stores what it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.answers import ingest, ingest_grids
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.jobs import jobs
from attune.labeler.labelling import more_pages, next_pages, take_pages
from attune.labeler.labelling.take_answers import GONE, REVISED, STORED
from attune.labeler.people.end_label_studio_access import close
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import grids, queues
from attune.labeler.queues.grids import SIZE
from attune.labeler.records.schema import Annotation, Expert, Grid, GridPage, Job, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now, set_clock
from attune.models.errors import AccessError, DataError, LabelStudioUnreachable, ServiceDown
from tests.support import factories
from tests.support.page_desk import PageDesk, tick


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    return factories.workspace(tmp_path, redis_url="redis://127.0.0.1:1/0")


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    return opened(settings, monkeypatch)


def opened(settings: Settings, monkeypatch: pytest.MonkeyPatch, **arguments: object) -> PageDesk:
    made = PageDesk(settings, 3, **arguments)  # type: ignore[arg-type]
    monkeypatch.setattr(take_pages, "label_studio", lambda _: made.store)
    return made


def revise(desk: PageDesk, question: str = "Is it, really?") -> None:
    with reading(desk.settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "tender"))
    revise_attribute.revise(desk.settings, replace(held, question=question), "Clearer.")


def test_ones_own_pages_come_oldest_first_and_not_twice(desk: PageDesk) -> None:
    keys = [page.key for page in desk.pages]
    assert desk.ahead() == keys
    assert desk.ahead(keys[0], keys[2]) == [keys[1]]


def test_ticked_unticked_and_unsure_become_answers(desk: PageDesk) -> None:
    page = desk.pages[0]
    assert desk.take(tick(page, 0, 4, unsure=[2])) == [STORED]
    assert desk.said(page) == dict.fromkeys(range(SIZE), "other") | {0: "tender", 4: "tender", 2: "unsure"}
    with reading(desk.settings) as session:
        assert set(session.scalars(select(Annotation.lead_seconds))) == {24.0 / SIZE}


def test_with_more_classes_no_tick_says_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = opened(settings, monkeypatch, classes=["romance", "friendship", "neither"])
    first, second, _ = desk.pages
    desk.take(tick(first, 1, unsure=[3]), tick(second, 5))
    assert desk.said(first) == {1: "romance", 3: "unsure"}
    assert desk.said(second) == {5: "friendship"}


def test_an_image_that_could_not_be_shown_gets_no_answer(desk: PageDesk) -> None:
    page = desk.pages[0]
    desk.take(tick(page, 0, left=[1]))
    assert 1 not in desk.said(page)
    assert len(desk.said(page)) == SIZE - 1


def test_a_skipped_page_says_nothing_and_does_not_come_back(desk: PageDesk) -> None:
    assert desk.take(tick(desk.pages[0], 0, skip=True)) == [STORED]
    assert desk.said(desk.pages[0]) == {}
    assert desk.pages[0].key not in desk.ahead()


def test_of_all_the_answered_pages_those_that_are_sent_are_read_alone(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = desk.pages
    desk.take(tick(first, 0), tick(second, 1))
    known: list[set[int]] = []
    store = ingest_grids.store

    def seen(*arguments: Any) -> bool:
        known.append(set(arguments[5].known))
        return store(*arguments)

    monkeypatch.setattr(ingest_grids, "store", seen)
    assert desk.take(tick(second, 4), tick(third, 5)) == [STORED, STORED]
    assert known == [{second.id}] * 2
    assert [place for place, value in desk.said(second).items() if value == "tender"] == [4]


def test_to_send_a_page_again_changes_nothing(desk: PageDesk) -> None:
    one = tick(desk.pages[0], 3)
    assert [desk.take(one), desk.take(one)] == [[STORED]] * 2
    with reading(desk.settings) as session:
        assert len(session.scalars(select(Annotation)).all()) == SIZE


def test_a_later_answer_corrects_the_earlier_and_the_page_can_be_found_again(desk: PageDesk) -> None:
    page = desk.pages[0]
    desk.take(tick(page, 0, 1))
    desk.take(tick(page, 1, unsure=[2]))
    assert {at: value for at, value in desk.said(page).items() if value != "other"} == {1: "tender", 2: "unsure"}
    found = next_pages.ahead(desk.settings, desk.viewer, "tender")
    assert [(one.key, dict(one.marks)) for one in found.past] == [(page.key, {1: "tick", 2: "unsure"})]
    assert (found.today, found.images) == (SIZE, 2 * SIZE)


def test_a_page_of_before_tells_what_it_left_open(desk: PageDesk) -> None:
    desk.take(tick(desk.pages[0], skip=True), tick(desk.pages[1], 0, left=[1, 5]))
    past = next_pages.ahead(desk.settings, desk.viewer, "tender").past
    assert [(one.is_skipped, list(one.left)) for one in past] == [(True, []), (False, [1, 5])]


def test_another_experts_page_is_refused_and_costs_no_good_answer(desk: PageDesk) -> None:
    assert desk.take(tick(desk.bos, 0), tick(desk.pages[0], 0)) == [GONE, STORED]
    assert desk.said(desk.bos) == {}
    assert [one["key"] for body in desk.store.sent for one in body["answers"]] == [desk.pages[0].key]


def test_a_page_of_the_question_of_before_is_neither_shown_nor_stored(desk: PageDesk) -> None:
    desk.take(tick(desk.pages[0], 0))
    later = now() + timedelta(minutes=1)
    with set_clock(lambda: later):
        revise(desk)
    assert desk.take(tick(desk.pages[1], 0)) == [REVISED]
    assert desk.take(tick(desk.pages[1], 0), revision=2) == [GONE], "a page that waits asks what was asked before"
    found = next_pages.ahead(desk.settings, desk.viewer, "tender")
    assert (list(found.pages), list(found.past), found.images) == ([], [], 0)
    assert desk.said(desk.pages[1]) == {}


def test_images_that_left_the_pool_are_not_shown(desk: PageDesk) -> None:
    for at in (0, 7):
        desk.remove(desk.pages[0], at)
    shown = next_pages.ahead(desk.settings, desk.viewer, "tender").pages[0]
    assert [one.number for one in shown.images] == [at for at in range(SIZE) if at not in {0, 7}]
    desk.take(tick(desk.pages[0], 1))
    with reading(desk.settings) as session:
        told = set(session.scalars(select(Annotation.asset_pk)))
    assert told == {key for at, key in enumerate(desk.pages[0].asset_pks) if at not in {0, 7}}


def test_a_place_that_the_page_does_not_have_stores_nothing(desk: PageDesk) -> None:
    for wrong in (SIZE, -1):
        with pytest.raises(DataError, match="no image"):
            desk.take(tick(desk.pages[0], wrong))
    assert desk.store.sent == []


def test_while_label_studio_is_away_nothing_counts_and_all_may_be_sent_again(desk: PageDesk) -> None:
    one, desk.store.away = tick(desk.pages[0], 0), True
    with pytest.raises(LabelStudioUnreachable):
        desk.take(one)
    assert desk.said(desk.pages[0]) == {}
    desk.store.away = False
    assert desk.take(one) == [STORED]


def test_without_an_open_queue_of_ones_own_there_are_no_pages(desk: PageDesk) -> None:
    owner = Viewer("owner", "mo@desk.example", None, 2)
    with pytest.raises(AccessError):
        next_pages.ahead(desk.settings, owner, "tender")
    with writing(desk.settings) as session:
        for queue in session.scalars(select(Queue)):
            queue.closed_at = now()
    with pytest.raises(AccessError):
        desk.take(tick(desk.pages[0], 0))
    with pytest.raises(AccessError):
        more_pages.ask(desk.settings, desk.viewer, "tender", 24)


class TestMore:
    """The making of further pages: one job at a time, and none over and over where there is nothing to make."""

    @pytest.fixture
    def asked(self, desk: PageDesk, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        made: list[dict[str, object]] = []

        def enqueue(settings: Settings, kind: str, **arguments: object) -> str:
            made.append(arguments)
            return factories.add_job(settings, kind, "queued", subject="tender", arguments=arguments).id

        monkeypatch.setattr(jobs, "enqueue", enqueue)
        return made

    def finish(self, desk: PageDesk, state: str, **columns: object) -> None:
        with writing(desk.settings) as session:
            job = session.scalars(select(Job).order_by(Job.created_at.desc())).first()
            assert job is not None
            job.state, job.finished_at = state, now()
            for name, value in columns.items():
                setattr(job, name, value)

    def test_asked_for_again_while_one_is_made_there_is_one_job(
        self, desk: PageDesk, asked: list[dict[str, object]]
    ) -> None:
        states = [more_pages.ask(desk.settings, desk.viewer, "tender", 48).state for _ in range(3)]
        assert states == ["queued"] * 3
        assert asked == [{"attribute": "tender", "expert": desk.ana.email, "images": 48}]

    def test_another_experts_job_is_not_ones_own(self, desk: PageDesk, asked: list[dict[str, object]]) -> None:
        factories.add_job(
            desk.settings,
            "grid",
            "queued",
            subject="tender",
            arguments={"attribute": "tender", "expert": "bo@x.example"},
        )
        more_pages.ask(desk.settings, desk.viewer, "tender", 48)
        assert len(asked) == 1

    def test_the_own_job_is_found_behind_those_of_many_others(
        self, desk: PageDesk, asked: list[dict[str, object]]
    ) -> None:
        more_pages.ask(desk.settings, desk.viewer, "tender", 48)
        for number in range(40):
            arguments = {"attribute": "tender", "expert": f"e{number}@x.example"}
            factories.add_job(desk.settings, "grid", "queued", subject="tender", arguments=arguments)
        assert more_pages.ask(desk.settings, desk.viewer, "tender", 48).state == "queued"
        assert len(asked) == 1

    def test_an_exhausted_pool_is_said_and_rests_for_a_minute(
        self, desk: PageDesk, asked: list[dict[str, object]]
    ) -> None:
        more_pages.ask(desk.settings, desk.viewer, "tender", 48)
        self.finish(desk, "done", result={"exhausted": True})
        assert more_pages.ask(desk.settings, desk.viewer, "tender", 48).state == "exhausted"
        later = now() + timedelta(minutes=2)
        with set_clock(lambda: later):
            assert more_pages.ask(desk.settings, desk.viewer, "tender", 48).state == "queued"
        assert len(asked) == 2

    def test_a_failure_is_told_and_tried_again_when_the_expert_says_so(
        self, desk: PageDesk, asked: list[dict[str, object]]
    ) -> None:
        more_pages.ask(desk.settings, desk.viewer, "tender", 48)
        self.finish(desk, "failed", error="No images are left.")
        told = more_pages.ask(desk.settings, desk.viewer, "tender", 48)
        assert (told.state, told.text) == ("failed", "No images are left.")
        assert more_pages.ask(desk.settings, desk.viewer, "tender", 48, again=True).state == "queued"
        assert len(asked) == 2

    def test_nobody_can_ask_for_a_whole_catalogue(self, desk: PageDesk, asked: list[dict[str, object]]) -> None:
        more_pages.ask(desk.settings, desk.viewer, "tender", 10**9)
        assert asked[0]["images"] == more_pages.MOST_IMAGES


def test_without_redis_more_pages_are_refused_in_words(desk: PageDesk) -> None:
    with pytest.raises(ServiceDown):
        more_pages.ask(desk.settings, desk.viewer, "tender", 24)


def test_a_closed_project_has_no_pages(desk: PageDesk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Grid, session.get_one(GridPage, desk.pages[0].id).grid_id).closed_at = now()
    assert desk.ahead() == []
    assert desk.take(tick(desk.pages[0], 0)) == [GONE]


def test_a_leavers_project_is_closed_and_open_again_for_the_question_that_they_come_back_to(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues.members, "set_members", lambda *_: None)
    other = factories.add_attribute(desk.settings, "cold")
    with writing(desk.settings) as session:
        session.add(Grid(attribute_id=other.id, expert_id=desk.ana.id, project=99, view=1, created_at=now()))
    factories.add_queue(desk.settings, other, desk.ana)

    def opened(farewell: timedelta = timedelta(0)) -> set[tuple[int, int]]:
        with reading(desk.settings) as session:
            return {(one.attribute_id, one.expert_id) for one in grids.current(session, farewell)}

    tender, cold, bos = (
        (of.id, who.id) for of, who in ((desk.attribute, desk.ana), (other, desk.ana), (desk.attribute, desk.bo))
    )
    assert opened() == {tender, cold, bos}
    with writing(desk.settings) as session:
        close(session, session.get_one(Expert, desk.ana.id))
    assert opened() == {bos}
    assert opened(timedelta(days=1)) == {tender, cold, bos}, "the last answers are still read"
    with writing(desk.settings) as session:
        session.get_one(Expert, desk.ana.id).removed_at = None
    queues.ensure(desk.settings, None, "tender", [desk.ana])  # type: ignore[arg-type]
    assert opened() == {tender, bos}
    assert desk.ahead() != []
    with reading(desk.settings) as session:
        assert grids.offered(session, other.id) == set()
