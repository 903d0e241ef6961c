"""A queue that an owner stops: nothing new is asked, nothing that was given or drawn is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.answers import withdrawn
from attune.labeler.attributes import audit_batches
from attune.labeler.labelling import more_pages, next_pages, next_questions, take_answers
from attune.labeler.labelling.take_answers import STORED
from attune.labeler.notices import queue_rules
from attune.labeler.people.viewer import Viewer, waiting
from attune.labeler.queues import grids, pinned, stopping
from attune.labeler.records.schema import Annotation, Attribute, Expert, Grid, GridPage, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.views import expert_queues
from attune.models.clock import now
from attune.models.errors import AlreadyThere, RecordsError, UnknownExpert
from tests.support import factories
from tests.support.desk import Desk, answer

ANA, BO = "ana@desk.example", "bo@desk.example"


@pytest.fixture
def desk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(factories.workspace(tmp_path), 5)
    monkeypatch.setattr(take_answers, "label_studio", lambda settings: made.store)
    monkeypatch.setattr(take_answers.ingest, "ask_to_learn", lambda *_: None)
    return made


def states(desk: Desk) -> list[str]:
    with reading(desk.settings) as session:
        return [session.get_one(Task, task.id).state for task in [*desk.tasks, desk.bos]]


def test_a_stopped_queue_gives_its_images_back_and_asks_nothing(desk: Desk) -> None:
    desk.take(answer(desk.tasks[0]))
    with reading(desk.settings) as session:
        before = session.get_one(Attribute, desk.attribute.id).answers_counter
    done = stopping.stop(desk.settings, "romance", ANA, "olga@example.org")
    assert done.given_back == 4
    assert states(desk) == ["answered", *["retired"] * 4, "open"], "another expert's queue goes on"
    sheet = next_questions.ahead(desk.settings, desk.viewer, "romance")
    assert (sheet.paused, list(sheet.questions), sheet.left) == (True, [], 0)
    assert [one.value for one in sheet.past] == ["yes"], "answers stay, and can be corrected"
    with reading(desk.settings) as session:
        assert session.get_one(Attribute, desk.attribute.id).answers_counter == before + 1, "a round asks the others"


def test_an_answer_on_its_way_when_the_stop_comes_is_kept(desk: Desk) -> None:
    shown = desk.ahead()
    stopping.stop(desk.settings, "romance", ANA)
    assert shown[0] == desk.tasks[0].key
    assert desk.take(answer(desk.tasks[0], "no")) == [STORED]
    assert desk.counted() == [(desk.tasks[0].id, "no")]
    assert states(desk)[:2] == ["answered", "retired"]


def test_an_answer_that_its_expert_takes_back_is_not_asked_again_meanwhile(desk: Desk) -> None:
    desk.take(answer(desk.tasks[0]))
    stopping.stop(desk.settings, "romance", ANA)
    with writing(desk.settings) as session:
        withdrawn.withdraw(session, list(session.scalars(select(Annotation))), "sync")
    assert next_questions.ahead(desk.settings, desk.viewer, "romance").questions == ()


def test_an_audit_that_was_answered_on_its_way_still_measures(desk: Desk) -> None:
    with writing(desk.settings) as session:
        task = session.get_one(Task, desk.tasks[0].id)
        task.purpose, task.inclusion = "audit", 0.25
    stopping.stop(desk.settings, "romance", ANA)
    desk.take(answer(desk.tasks[0]))
    with reading(desk.settings) as session:
        kept = session.scalars(select(Annotation)).one()
    assert (kept.purpose, kept.inclusion) == ("audit", 0.25)


def test_it_is_stopped_and_started_once(desk: Desk) -> None:
    with pytest.raises(AlreadyThere, match="not stopped"):
        stopping.start(desk.settings, "romance", ANA)
    stopping.stop(desk.settings, "romance", ANA)
    with pytest.raises(AlreadyThere, match="already stopped"):
        stopping.stop(desk.settings, "romance", ANA)
    assert "is started" in stopping.start(desk.settings, "romance", ANA).sentence
    assert not next_questions.ahead(desk.settings, desk.viewer, "romance").paused
    with reading(desk.settings) as session:
        queue = session.get_one(Queue, desk.queue.id)
    assert (queue.stopped_at, queue.stopped_by, queue.closed_at) == (None, "", None)


def test_who_has_no_queue_is_named(desk: Desk) -> None:
    factories.add_expert(desk.settings, "chidi@desk.example")
    with pytest.raises(RecordsError, match=r"chidi@desk\.example has no queue for romance"):
        stopping.stop(desk.settings, "romance", "chidi@desk.example")
    with pytest.raises(UnknownExpert):
        stopping.stop(desk.settings, "romance", "nobody@desk.example")


def test_an_owner_who_labels_may_not_look_meanwhile_at_what_may_come_again(desk: Desk) -> None:
    """Else one could stop the own queue, read what the others say and the model thinks, and start it again."""
    owner = Viewer("owner", ANA, desk.ana.id, 1)
    stopping.stop(desk.settings, "romance", ANA)
    with reading(desk.settings) as session:
        assert set(session.scalars(waiting(owner))) == {task.asset_pk for task in desk.tasks}


def test_chosen_images_go_to_the_others_and_nobody_chooses_for_a_stopped_queue(desk: Desk) -> None:
    stopping.stop(desk.settings, "romance", ANA)
    (asset,) = factories.add_assets(desk.settings, 1)
    with writing(desk.settings) as session:
        for expert in session.query(Expert):
            expert.every_attribute = False
    sent = pinned.send(desk.settings, "romance", [asset.asset_id], "olga@example.org")
    assert list(sent.experts) == ["Bo"]
    with pytest.raises(RecordsError, match=r"queue of ana@desk\.example for romance is stopped"):
        pinned.send(desk.settings, "romance", [asset.asset_id], "olga@example.org", ANA)


def test_audits_are_not_asked_of_a_stopped_queue(desk: Desk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Attribute, desk.attribute.id).settings = {"seed": 1, "reserved_share": 0.4}
    stopping.stop(desk.settings, "romance", ANA)
    with pytest.raises(RecordsError, match=r"queue of ana@desk\.example for romance is stopped"):
        audit_batches.request(desk.settings, "romance", 30, [ANA])
    stopping.stop(desk.settings, "romance", BO)
    with pytest.raises(RecordsError, match="Every queue for romance is stopped"):
        audit_batches.request(desk.settings, "romance", 30)


def test_no_notice_says_that_a_stopped_queue_waits(desk: Desk) -> None:
    with writing(desk.settings) as session:
        for queue in session.query(Queue):
            queue.created_at = now() - timedelta(days=9)
    stopping.stop(desk.settings, "romance", ANA)
    with reading(desk.settings) as session:
        told = [news.expert for news in queue_rules.stalled(session, 3) if news.expert]
        empty = [news.text for news in queue_rules.empty(session)]
    assert told == [desk.other.expert_id]
    assert not any("Ana" in text for text in empty)


def test_pages_of_images_wait_too_and_free_their_images(desk: Desk) -> None:
    with writing(desk.settings) as session:
        grid = Grid(attribute_id=desk.attribute.id, expert_id=desk.ana.id, project=9, view=9, created_at=now())
        session.add(grid)
        session.flush()
        keys = [task.asset_pk for task in desk.tasks[:2]]
        page = GridPage(grid_id=grid.id, label_studio_task=99, ticked="yes", unticked="no", asset_pks=keys)
        page.signed_until = page.created_at = now()
        session.add(page)
    with reading(desk.settings) as session:
        assert grids.offered(session, desk.attribute.id) == set(keys)
    stopping.stop(desk.settings, "romance", ANA)
    with reading(desk.settings) as session:
        assert grids.offered(session, desk.attribute.id) == set()
    found = next_pages.ahead(desk.settings, desk.viewer, "romance")
    assert (found.paused, list(found.pages)) == (True, [])
    assert more_pages.ask(desk.settings, desk.viewer, "romance", 12).state == more_pages.PAUSED


def test_owners_see_how_long_each_queue_is(desk: Desk) -> None:
    for task in desk.tasks[:2]:
        desk.take(answer(task))
    ana, bo = expert_queues.of(desk.settings, "romance")
    assert (ana.email, ana.waiting, ana.answers, ana.state) == (ANA, 3, 2, "open")
    assert ana.last_at is not None
    assert ana.seconds is None, "two answers are too few for a median"
    assert (bo.waiting, bo.answers, bo.last_at) == (1, 0, None)
    stopping.stop(desk.settings, "romance", ANA, "olga@example.org")
    ana, _ = expert_queues.of(desk.settings, "romance")
    assert (ana.waiting, ana.answers, ana.state, ana.stopped_by) == (0, 2, "stopped", "olga@example.org")


def test_the_seconds_are_the_median_of_answers_that_were_looks(desk: Desk) -> None:
    assets = factories.add_assets(desk.settings, 13)
    looks = [2.0] * 7 + [4.0] * 5 + [4000.0]
    for asset, seconds in zip(assets, looks, strict=True):
        factories.add_answer(desk.settings, desk.other, asset, "yes", lead_seconds=seconds)
    assert [one.seconds for one in expert_queues.of(desk.settings, "romance")] == [None, 2.0]
