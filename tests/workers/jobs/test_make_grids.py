"""Pages of images: their answers become ordinary annotations, once, and follow what happens in Label Studio."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st
from sqlalchemy import select

from attune.labeler.answers import exclude_expert, ingest_grids, reading_order
from attune.labeler.answers.reading_order import AskedPages, asked_pages_now, pages_of_now
from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio import grid_project as room
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.task_address import KEY
from attune.labeler.people import experts
from attune.labeler.queues import grids
from attune.labeler.queues.grids import NewPage
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Grid, GridAnswer, GridPage, Stray
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now, set_clock
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn
from attune.workers.jobs import make_grids as job
from attune.workers.rounds.queue_plan import asked_rows, assign_to_queues
from attune.workers.sync import hinted, sync
from attune.workers.sync.project_identity import Checked
from tests.support import factories
from tests.support.inside_label_studio import hide_answer
from tests.support.services import EMAIL, PASSWORD, Services
from tests.workers.rounds.test_queue_plan import ask, rows, snapshot, task

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path, redis_url="redis://127.0.0.1:1/0")


class World:
    """One page of six images before Ana, and the answers that Label Studio tells about it."""

    def __init__(self, settings: Settings, classes: Sequence[str] = ("tender", "other")) -> None:
        self.settings = settings
        self.attribute = factories.add_attribute(settings, "tender", classes=list(classes))
        self.ana = factories.add_expert(settings)
        self.assets = factories.add_assets(settings, 6)
        self.keys = [asset.id for asset in self.assets]
        with writing(settings) as session:
            self.grid = Grid(attribute_id=self.attribute.id, expert_id=self.ana.id, project=77, view=1, created_at=NOON)
            session.add(self.grid)
            session.flush()
            unticked = classes[1] if len(classes) == 2 else None
            page = GridPage(grid_id=self.grid.id, label_studio_task=500, ticked=classes[0], unticked=unticked)
            page.asset_pks, page.signed_until, page.created_at, page.state = self.keys, NOON, NOON, "open"
            session.add(page)

    def tell(
        self,
        ticked: Sequence[int],
        minute: int = 0,
        annotation: int = 9,
        skipped: bool = False,
        asked: AskedPages | None = None,
        unsure: Sequence[int] = (),
        left: Sequence[int] = (),
    ) -> bool:
        """What a reading shows that was asked for ``asked`` (now, unless told)."""
        told = {
            "id": annotation,
            "result": room.write_ticks(*([self.keys[place] for place in places] for places in (ticked, unsure, left))),
            "was_cancelled": skipped,
            "completed_by": self.ana.label_studio_user,
            "created_at": NOON.isoformat(),
            "updated_at": (NOON + timedelta(minutes=minute)).isoformat(),
            "lead_time": 12.0,
        }
        return self.store(500, {}, told, asked)

    def store(self, task: int, data: dict[str, Any], told: dict[str, Any], asked: AskedPages | None = None) -> bool:
        with writing(self.settings) as session:
            grid = session.get_one(Grid, self.grid.id)
            return ingest_grids.store(session, grid, task, data, told, asked or pages_of_now(session, grid))

    def delete(self, annotation: int = 9) -> None:
        with writing(self.settings) as session:
            ingest_grids.delete(session, session.get_one(Grid, self.grid.id), [annotation])

    def said(self) -> dict[int, str]:
        """Place on the page -> the answer that counts."""
        with reading(self.settings) as session:
            held = session.execute(
                select(Annotation.asset_pk, Annotation.value).where(Annotation.deleted_at.is_(None))
            ).all()
        assert len(held) == len(dict(held)), "an image has two answers"
        return {self.keys.index(key): value for key, value in held}

    def counter(self) -> int:
        with reading(self.settings) as session:
            return session.get_one(Attribute, self.attribute.id).answers_counter


YES, NO = "tender", "other"


def test_of_two_classes_the_unticked_are_the_other_one_and_each_image_counts_once(settings: Settings) -> None:
    world = World(settings)
    assert world.tell([0, 2])
    assert world.said() == {0: YES, 1: NO, 2: YES, 3: NO, 4: NO, 5: NO}
    with reading(settings) as session:
        row = session.scalars(select(Annotation)).first()
    assert (row.purpose, row.expert_id, row.lead_seconds, row.label_studio_id) == ("seed", world.ana.id, 2.0, None)
    counter = world.counter()
    assert not world.tell([0, 2]), "shown again by the next reading"
    assert world.counter() == counter


def test_a_page_without_a_tick_says_none_of_these(settings: Settings) -> None:
    world = World(settings)
    world.tell([])
    assert set(world.said().values()) == {NO}


def test_a_page_that_was_submitted_after_the_end_of_access_counts_nowhere(settings: Settings) -> None:
    world = World(settings)
    assert world.tell([0, 2])
    before = world.said()
    with writing(settings) as session:
        session.get_one(Expert, world.ana.id).removed_at = NOON + timedelta(minutes=5)
    assert not world.tell([1], minute=6)
    assert world.said() == before
    with reading(settings) as session:
        assert session.scalars(select(Stray.reason)).all() == ["given after the person's access ended"]


def test_of_more_classes_the_unticked_are_not_answered(settings: Settings) -> None:
    world = World(settings, ["romance", "friendship", "neither"])
    world.tell([1, 5])
    assert world.said() == {1: "romance", 5: "romance"}
    world.tell([5, 3], minute=1)
    assert world.said() == {3: "romance", 5: "romance"}


def test_edits_skips_and_deletions_are_followed_and_late_news_is_not(settings: Settings) -> None:
    world = World(settings)
    world.tell([0])
    before = asked_pages_now(settings, world.grid)
    assert world.tell([1], minute=2)
    assert {place for place, value in world.said().items() if value == YES} == {1}
    assert not world.tell([0], minute=1, asked=before), "an older state came late"
    assert world.tell([], minute=3, skipped=True)
    assert world.said() == {}
    world.tell([4], minute=4)
    assert world.said()[4] == YES
    before = asked_pages_now(settings, world.grid)
    world.delete()
    assert world.said() == {}
    assert not world.tell([4], minute=4, asked=before), "a slower reading, from before"
    assert world.tell([2], minute=9, annotation=10, asked=before), "served and answered again while that was deleted"
    assert world.said()[2] == YES
    world.delete(10)
    assert not world.tell([2], minute=9, annotation=10, asked=before), "deleted since, too"


@pytest.mark.parametrize("classes", [(YES, NO), ("romance", "friendship", "neither")], ids=["two", "three classes"])
def test_a_page_that_is_corrected_after_label_studios_clock_was_set_back_is_read(
    settings: Settings, classes: Sequence[str]
) -> None:
    """Of three classes a page without a tick has no line of history, which would tell what is newer."""
    world = World(settings, classes)
    world.tell([], minute=20)
    with reading(settings) as session:
        (page,) = session.scalars(select(GridPage))
    before = asked_pages_now(settings, world.grid, [page])  # as when an expert sends this one
    assert asked_pages_now(settings, world.grid, []).known == {}, "no other page is read"
    assert world.tell([1], minute=5), "asked for later, whatever the clock there says"
    assert world.said()[1] == classes[0]
    for minute in (4, 20):
        assert not world.tell([], minute=minute, asked=before), f"a slow reading from before, of minute {minute}"
    assert world.said()[1] == classes[0]
    assert not world.tell([1], minute=5), "shown again by the next reading"
    after = asked_pages_now(settings, world.grid)
    world.tell([], minute=6)
    assert not world.tell([1], minute=5, asked=after)
    world.delete()
    assert not world.tell([], minute=6, asked=after), "deleted since"
    assert world.said() == {}
    with reading(settings) as session:
        assert session.scalars(select(GridPage.state)).all() == ["open"]


def test_a_page_that_was_answered_after_the_clock_was_set_back_is_not_gone_from_an_older_list(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is ticked on it, so the history of answers has no line that would tell."""
    world = World(settings, classes=("romance", "friendship", "neither"))

    def listed(*_: object, **__: object) -> list[dict[str, object]]:
        world.tell([], minute=1)  # while Label Studio makes its list
        return [{"id": 500, "data": {}, "annotations": [], "updated_at": NOON.isoformat()}]

    monkeypatch.setattr(job.tasks, "listed", listed)
    monkeypatch.setattr(reading_order, "now", lambda: now() + timedelta(minutes=15))  # when it was asked
    counts = dict.fromkeys(("changed", "deleted", "left_out"), 0)
    job.sync_pages(settings, None, world.grid, counts, {})  # type: ignore[arg-type]
    with reading(settings) as session:
        assert session.scalars(select(GridPage.state)).all() == ["answered"]
    job.sync_pages(settings, None, world.grid, counts, {})  # type: ignore[arg-type]
    with reading(settings) as session:
        assert session.scalars(select(GridPage.state)).all() == ["open"], "what was known before the list is gone"


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
@pytest.mark.parametrize("made", ["by hand", "of ours that the records lack", "a copy"])
def test_a_page_that_is_deleted_beside_a_task_that_the_records_lack_is_noticed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at_once: bool, made: str
) -> None:
    """The project then holds no fewer tasks than the records have pages there."""
    world = World(settings)
    task = {"data": {}, "annotations": [], "updated_at": NOON.isoformat()}
    with reading(settings) as session:
        key = session.scalars(select(GridPage.key)).one()
    data = {"a copy": of_ours(world.keys, key), "by hand": {}}.get(made, of_ours(world.keys[:2]))
    there = [{"id": 500} | task | {"data": of_ours(world.keys, key)}, {"id": 900} | task | {"data": data}]
    monkeypatch.setattr(job.tasks, "listed", lambda *_, **__: list(there))
    monkeypatch.setattr(job.project_identity, "check", lambda *_: Checked({world.grid.id: len(there)}))
    for module, name in ((job.membership, "correct_members"), (job.grids, "renew")):
        monkeypatch.setattr(module, name, lambda *_: None)
    counts = dict.fromkeys(("changed", "deleted", "left_out"), 0)
    for left in (there[1:], there[1:]) if at_once else (there[:], there[1:]):
        there[:] = left
        job.sync(settings, None, None, False, counts, {}, {}, {})  # type: ignore[arg-type]
    for _ in range(2):  # as the daily sync
        job._compare(settings, None, world.grid, counts)  # type: ignore[arg-type]
        job.sync_pages(settings, None, world.grid, counts, {}, whole=True)  # type: ignore[arg-type]
    with reading(settings) as session:
        assert session.scalars(select(GridPage.label_studio_task).order_by(GridPage.id)).all() == [None, 900]
        assert session.scalar(select(GridPage.state).where(GridPage.label_studio_task.is_(None))) == "retired"
        assert grids.offered(session, world.attribute.id) == set(), "its images may be asked about again"


def of_ours(keys: Sequence[int], key: str = "a" * 32) -> dict[str, Any]:
    """What Label Studio has of a page of ours, with the images ``keys``."""
    return {**room.page_data("Tender?", YES, NO, [(one, "http://127.0.0.1:1/x.jpg") for one in keys]), KEY: key}


@pytest.mark.parametrize("answered", [False, True])
def test_a_page_that_a_sync_meets_before_its_maker_tells_of_it_waits_for_its_expert_and_counts_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    world = World(settings)
    told = {"id": 9, "result": room.write_ticks(world.keys[:1], [], []), "was_cancelled": False, "lead_time": 12.0}
    told |= {
        "completed_by": world.ana.label_studio_user,
        "created_at": NOON.isoformat(),
        "updated_at": NOON.isoformat(),
    }
    counts = dict.fromkeys(("changed", "deleted", "left_out"), 0)

    def sync_between(*given: Any) -> int:
        task = {"id": 900, "data": of_ours(world.keys[:2], given[-1]), "updated_at": NOON.isoformat()}
        monkeypatch.setattr(job.tasks, "listed", lambda *_, **__: [task | {"annotations": [told] if answered else []}])
        job.sync_pages(settings, None, world.grid, counts, {})  # type: ignore[arg-type]
        return 900

    monkeypatch.setattr(grids.room, "add", sync_between)
    made = grids.add(settings, None, world.grid, NewPage("Tender?", YES, NO, world.keys[:2], NOON))  # type: ignore[arg-type]
    with reading(settings) as session:
        kept = session.scalars(select(GridPage).where(GridPage.key == made.key)).one()
        assert (kept.label_studio_task, kept.asset_pks) == (900, world.keys[:2])
        assert kept.state == ("answered" if answered else "open")
        assert answered or kept.created_at == NOON, "when its question was read"
    assert world.said() == ({0: YES, 1: NO} if answered else {})


def test_an_answer_about_the_single_image_stands(settings: Settings) -> None:
    world = World(settings)
    queue = factories.add_queue(settings, world.attribute, world.ana)
    factories.add_answer(settings, queue, world.assets[0], NO)
    world.tell([0, 1])
    assert world.said()[0] == NO
    assert world.said()[1] == YES


def test_a_leavers_pages_keep_no_image_from_the_others_and_their_last_answers_are_still_read(
    settings: Settings,
) -> None:
    world = World(settings)
    with writing(settings) as session:
        assert grids.offered(session, world.attribute.id) == set(world.keys)
        session.get_one(Expert, world.ana.id).removed_at = now() - timedelta(hours=1)
        session.flush()
        assert grids.offered(session, world.attribute.id) == set()
        assert grids.current(session) == []
        assert [one.id for one in grids.current(session, job.FAREWELL)] == [world.grid.id]
        session.get_one(Expert, world.ana.id).removed_at = now() - timedelta(days=2)
        session.flush()
        assert grids.current(session, job.FAREWELL) == []


def test_asked_for_twice_at_once_the_same_pages_are_made_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(settings)
    with writing(settings) as session:
        session.scalars(select(GridPage)).one().state = "answered"
    made: list[Any] = []

    def add(_: object, __: object, grid: Grid, *rest: Any) -> None:
        made.append(rest)
        with writing(settings) as session:
            page = GridPage(grid_id=grid.id, label_studio_task=600 + len(made), ticked=YES, asset_pks=[])
            page.signed_until = page.created_at = NOON
            session.add(page)

    def pages(*_: object) -> list[Any]:
        time.sleep(0.3)  # the other one is here by now
        return [(0, np.arange(4))]

    monkeypatch.setattr(job.LabelStudio, "connect", lambda _: None)
    monkeypatch.setattr(job.grid_project, "configure", lambda *_: None)
    monkeypatch.setattr(job, "take_snapshot", lambda *_: snapshot(1))
    monkeypatch.setattr(job.pages_of_images, "made", pages)
    monkeypatch.setattr(grids, "add", add)
    monkeypatch.setattr(grids, "link", lambda *_: "link")
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda _: job.run(settings, quiet, "tender", world.ana.email), range(2)))
    assert [one["pages"] for one in told] == [1, 1]
    assert len(made) == 1


def _alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job without Label Studio and without a probe: it makes pages of the first six images."""
    with writing(settings) as session:
        session.scalars(select(GridPage)).one().state = "answered"
    monkeypatch.setattr(job.LabelStudio, "connect", lambda _: None)
    monkeypatch.setattr(job.grid_project, "configure", lambda *_: None)
    monkeypatch.setattr(job, "take_snapshot", lambda *_: snapshot(1))
    monkeypatch.setattr(job.pages_of_images, "made", lambda *_: [(0, np.arange(4))])
    monkeypatch.setattr(grids, "link", lambda *_: "link")


def _revise(settings: Settings, question: str) -> None:
    with reading(settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "tender"))
    revise_attribute.revise(settings, replace(held, question=question), "Clearer.")


def _waiting(settings: Settings, grid: Grid) -> int:
    with reading(settings) as session:
        return len(grids.pages_of_today(session, grid, GridPage.state == "open"))


def test_a_page_asks_what_is_asked_once_its_job_has_its_turn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job may wait for minutes for another that makes pages."""
    world = World(settings)
    _alone(settings, monkeypatch)
    put: list[dict[str, object]] = []
    monkeypatch.setattr(grids.room, "add", lambda _, __, data, ___: put.append(data) or 600)

    class Waits(job.FileLock):  # type: ignore[misc]
        def acquire(self, *arguments: Any, **more: Any) -> Any:
            if self.lock_file.endswith("pages.lock"):
                _revise(settings, "Is it, really?")
            return super().acquire(*arguments, **more)

    monkeypatch.setattr(job, "FileLock", Waits)
    job.run(settings, quiet, "tender", world.ana.email)
    assert [str(one["about"])[:14] for one in put] == ["Is it, really?"]
    assert _waiting(settings, world.grid) == 1


def test_a_question_that_changes_while_its_pages_are_made_is_not_asked_with_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(settings)
    _alone(settings, monkeypatch)

    def add(*_: object) -> int:
        _revise(settings, "Is it, really?")
        return 600

    monkeypatch.setattr(grids.room, "add", add)
    job.run(settings, quiet, "tender", world.ana.email)
    assert _waiting(settings, world.grid) == 0, "an answer to the old question would count for the new one"


@pytest.mark.parametrize(
    ("classes", "waiting", "images", "expected"),
    [
        (["yes", "no"], [], 0, [0] * grids.AHEAD),
        (["yes", "no"], ["yes"], 0, []),
        (["yes", "no"], ["yes"], 4 * grids.SIZE, [0, 0, 0]),
        (["yes", "no"], ["yes", "yes"], grids.SIZE, []),
        (["a", "b", "c"], [], 0, [0, 1, 2]),
        (["a", "b", "c"], ["a", "c"], 5 * grids.SIZE, [1, 0, 1]),
    ],
)
def test_pages_are_made_until_enough_images_wait_of_each_class_in_turn(
    classes: list[str], waiting: list[str], images: int, expected: list[int]
) -> None:
    pages = [GridPage(ticked=ticked, asset_pks=list(range(grids.SIZE))) for ticked in waiting]
    assert job._positions(Attribute(classes=classes), pages, images) == expected


def test_unsure_is_an_answer_of_its_own_and_what_could_not_be_shown_is_none(settings: Settings) -> None:
    world = World(settings)
    world.tell([0, 1, 3], unsure=[1, 2], left=[3, 4])
    assert world.said() == {0: YES, 1: "unsure", 2: "unsure", 5: NO}
    world.tell([0, 1, 3], minute=1)
    assert world.said() == {0: YES, 1: YES, 2: NO, 3: YES, 4: NO, 5: NO}


def test_what_is_set_aside_comes_back_by_no_page_and_its_correction_with_it(settings: Settings) -> None:
    world = World(settings)
    world.tell([0])
    assert world.said()[0] == YES
    exclude_expert.exclude(settings, world.ana.email)
    counter = world.counter()
    assert not world.tell([1], minute=1)
    assert world.said() == {}
    assert world.counter() == counter, "nothing that a learner sees has changed"
    exclude_expert.include(settings, world.ana.email)
    assert (world.said()[0], world.said()[1]) == (NO, YES), "the page was read once: a later sync tells nothing new"


def test_a_page_deleted_while_it_is_aside_does_not_come_back_and_counts_when_answered_anew(settings: Settings) -> None:
    world = World(settings)
    world.tell([0])
    exclude_expert.exclude(settings, world.ana.email)
    world.delete()
    assert world.tell([1], minute=5, annotation=10), "answered after it was set aside"
    assert world.said()[1] == YES
    assert exclude_expert.include(settings, world.ana.email) == {}
    exclude_expert.exclude(settings, world.ana.email)
    world.delete(10)
    assert exclude_expert.include(settings, world.ana.email) == {}
    assert world.said() == {}


def test_an_image_that_was_removed_before_the_page_was_submitted_gets_no_answer(settings: Settings) -> None:
    """The page could not show it: no tick on it was not a no."""
    world = World(settings)
    with writing(settings) as session:
        session.get_one(Asset, world.keys[3]).removed_at = NOON + timedelta(minutes=2)
        session.get_one(Asset, world.keys[4]).removed_at = NOON + timedelta(minutes=9)
    assert world.tell([0], minute=5)
    assert world.said() == {0: YES, 1: NO, 2: NO, 4: NO, 5: NO}
    world.tell([0, 3, 4], minute=12)
    assert world.said() == {0: YES, 1: NO, 2: NO, 4: NO, 5: NO}, "a correction says nothing new of them"


def test_a_page_asks_to_the_end_what_it_asked_when_it_was_made(settings: Settings) -> None:
    world = World(settings)
    with reading(settings) as session:
        held = revise_attribute.definition_of(session.get_one(Attribute, world.attribute.id))
    turned = {YES: NO, NO: YES}
    with set_clock(lambda: NOON + timedelta(minutes=1)):
        revise_attribute.revise(settings, replace(held, question="Cold?"), "Turned round.", turned)
    world.tell([0], minute=5)
    assert world.said() == {0: NO, 1: YES, 2: YES, 3: YES, 4: YES, 5: YES}


def test_a_page_that_the_records_lack_comes_with_its_answer(settings: Settings) -> None:
    world = World(settings)
    data = room.page_data("Tender?", YES, NO, [(key, "http://x/a.jpg?a=1&b=2") for key in world.keys[:2]])
    told = {"id": 3, "result": room.write_ticks(world.keys[:1]), "updated_at": NOON.isoformat()}
    told["completed_by"] = world.ana.label_studio_user
    assert world.store(999, data, told)
    assert world.said() == {0: YES, 1: NO}
    assert 'src="http://x/a.jpg?a=1&amp;b=2"' in data["images"][0]["html"]


def test_ticks_on_other_images_are_left_out_and_the_page_goes(settings: Settings) -> None:
    world = World(settings)
    odd = {"id": 3, "updated_at": NOON.isoformat(), "completed_by": world.ana.label_studio_user}
    odd["result"] = [{"from_name": room.CONTROL, "value": {"choices": ["image-0"]}}]
    assert not world.store(500, {}, odd)
    assert world.said() == {}
    with reading(settings) as session:
        assert session.scalars(select(Stray.reason)).all() == ["not one choice"]
        assert session.scalars(select(GridPage.state)).all() == ["retired"]


def test_a_page_is_known_by_its_key_and_not_by_its_number(settings: Settings) -> None:
    """Label Studio gave the number of a deleted page to the next one."""
    world = World(settings)
    data = room.page_data("Tender?", YES, NO, [(key, "http://x/a.jpg") for key in world.keys[:2]]) | {KEY: "k" * 32}
    told = {"id": 3, "result": room.write_ticks(world.keys[:1]), "updated_at": NOON.isoformat()}
    told["completed_by"] = world.ana.label_studio_user
    assert world.store(500, data, told)
    assert world.said() == {0: YES, 1: NO}
    with reading(settings) as session:
        pages = session.execute(select(GridPage.label_studio_task, GridPage.state).order_by(GridPage.id)).all()
    assert pages == [(None, "retired"), (500, "answered")]


def test_a_page_that_the_administrator_answered_is_nobodys(settings: Settings) -> None:
    world = World(settings)
    told = {"id": 3, "result": room.write_ticks(world.keys[:1]), "updated_at": NOON.isoformat(), "completed_by": 1}
    assert not world.store(500, {}, told)
    assert world.said() == {}


@trial(deadline=None, max_examples=25)
@given(
    order=st.lists(
        st.tuples(st.integers(0, 5), st.sets(st.integers(0, 5))), min_size=1, max_size=6, unique_by=lambda t: t[0]
    ),
    data=st.data(),
)
def test_whatever_the_order_of_arrival_the_newest_state_counts(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[int, set[int]]], data: st.DataObject
) -> None:
    world = World(factories.workspace(tmp_path_factory.mktemp("order"), redis_url="redis://127.0.0.1:1/0"))
    before = asked_pages_now(world.settings, world.grid)  # all are readings that overlap
    for minute, ticked in data.draw(st.permutations([*order, *order])):
        world.tell(sorted(ticked), minute, asked=before)
    newest = max(order)[1]
    assert world.said() == {place: YES if place in newest else NO for place in range(6)}


def test_images_on_a_page_are_left_to_it_and_those_answered_there_leave_the_queue() -> None:
    assert set(asked_rows(snapshot(1, paged=(7, 8))).tolist()) == {7, 8}
    before = [task(1, row=3), task(2, row=4)]
    plan = assign_to_queues(snapshot(1, before, said=[(3, 1, "yes")]), [ask(9)], size=10)[0]
    assert rows(plan.order) == [9, 4]
    assert [one.row for one in plan.stale] == [3]


# -- on a real Label Studio --------------------------------------------------------------------------------------------


def pool(live: Settings, classes: list[str]) -> list[Asset]:
    assets = factories.add_assets(live, 120)
    x = np.random.default_rng(1).standard_normal((120, 8)).astype(np.float32)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
    names = [asset.asset_id for asset in assets]
    VectorStore(live.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(live) as session:
        activate(session, made)
        attributes.create(session, Definition("tender", "Tender?", classes), live)
    experts.add(live, EMAIL, ["tender"], password=PASSWORD)
    return assets


def tick(person: ExpertSession, task_id: int, keys: Sequence[int], annotation: int | None = None) -> int:
    body = {"result": room.write_ticks(keys), "lead_time": 8.0, "was_cancelled": False}
    if annotation is None:
        return int(person._ask("POST", f"/api/tasks/{task_id}/annotations", body)["id"])
    person._ask("PATCH", f"/api/annotations/{annotation}/", body)
    return annotation


def values(live: Settings) -> dict[int, str]:
    with reading(live) as session:
        held = select(Annotation.asset_pk, Annotation.value).where(Annotation.deleted_at.is_(None))
        return dict(session.execute(held).all())


@pytest.mark.services
@pytest.mark.slow
def test_pages_are_answered_in_label_studio_and_learned_from(
    live: Settings, ls: LabelStudio, services: Services
) -> None:
    pool(live, ["tender", "other"])
    learn.run(live, quiet, "tender", size=12)
    made = job.run(live, quiet, "tender", EMAIL)
    assert job.run(live, quiet, "tender", EMAIL) == made, "pages that wait are not made again"
    with reading(live) as session:
        grid = session.scalars(select(Grid)).one()
        pages = grids.open_pages(session, grid.id)
        one = attributes.find(session, "tender")
        titles = dict(session.execute(select(Asset.id, Asset.title_id)).all())
    shown = [key for page in pages for key in page.asset_pks]
    assert [len(page.asset_pks) for page in pages] == [grids.SIZE] * grids.AHEAD
    assert len(set(shown)) == len(shown)
    kept = reserved_mask(
        [titles[key] for key in shown], int(one.settings["seed"]), float(one.settings["reserved_share"])
    )
    assert not kept.any(), "an audit title stands on a page"
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as person:
        found: Any = person.next_task(grid.project)
        assert found["id"] == pages[0].label_studio_task
        first = tick(person, found["id"], pages[0].asset_pks[:5])
        sync.run(live, quiet)
        assert list(values(live).values()).count("tender") == 5
        assert len(values(live)) == grids.SIZE
        tick(person, found["id"], pages[0].asset_pks[:2], first)
        assert sync.run(live, quiet)["changed"] == 1
        assert list(values(live).values()).count("tender") == 2
        assert person.next_task(grid.project)["id"] == pages[1].label_studio_task
        second = tick(person, pages[1].label_studio_task, [])
        named = f"pages-{grid.attribute_id}-{grid.expert_id}"
        assert hinted.read(live, named) == "tender", "as its webhook asks for"
        assert hinted.read(live, named) is None
        assert sync.run(live, quiet)["changed"] == 0, "both readings show one answer"
        assert learn.run(live, quiet, "tender", size=12)["answers"] == 2 * grids.SIZE
        person.delete(second)
        sync.run(live, quiet)
        assert len(values(live)) == grids.SIZE
        second = tick(person, pages[1].label_studio_task, [])
        hide_answer(services.inside, pages[1].label_studio_task or 0)
        assert sync.run(live, quiet)["changed"] == 1, "no time tells of this answer, but the number of answers does"
        person.delete(second)
    sync.run(live, quiet)
    assert len(values(live)) == grids.SIZE
    with reading(live) as session:
        assert [page.id for page in grids.open_pages(session, grid.id)] == [page.id for page in pages[1:]]
        served = session.scalars(select(GridAnswer.annotation_id)).all()
    assert len(served) == 2 * grids.SIZE
    with reading(live) as session:
        held = revise_attribute.definition_of(attributes.find(session, "tender"))
    revise_attribute.revise(live, replace(held, question="Tender, really?"), "A clearer question.")
    revise_attribute.configure(live, quiet, "tender")
    with reading(live) as session:
        assert grids.open_pages(session, grid.id) == [], "what waits asks the question of before"
    job.run(live, quiet, "tender", EMAIL)
    with reading(live) as session:
        assert len(grids.open_pages(session, grid.id)) == grids.AHEAD
    experts.remove(live, EMAIL, wait=True)
    with reading(live) as session:
        assert grids.open_pages(session, grid.id) == [], "what waits for a leaver is taken back"
    assert len(values(live)) == grids.SIZE


@pytest.mark.services
@pytest.mark.slow
def test_addresses_are_signed_anew_without_images_that_were_removed(live: Settings, ls: LabelStudio) -> None:
    pool(live, ["romance", "friendship", "neither"])
    assert job.run(live, quiet, "tender", EMAIL)["pages"] == 3, "one page a class"
    with writing(live) as session:
        grid = session.scalars(select(Grid)).one()
        page = grids.open_pages(session, grid.id)[0]
        page.signed_until = NOON
        session.get_one(Asset, page.asset_pks[0]).removed_at = NOON
    before = ls.request("GET", f"/api/tasks/{page.label_studio_task}")["data"]
    assert grids.renew(live, ls, grid) == 1
    after = ls.request("GET", f"/api/tasks/{page.label_studio_task}")["data"]
    assert before["ticked"] == after["ticked"] == "romance"
    assert before["unticked"] is None
    assert [one["value"] for one in after["images"]] == [one["value"] for one in before["images"][1:]]
