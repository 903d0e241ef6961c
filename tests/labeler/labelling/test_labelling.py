"""The labelling page's questions and answers, against a Label Studio that stores what it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from attune.labeler.labelling import next_questions, take_answers
from attune.labeler.labelling.take_answers import GONE, REVISED, STORED
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.models.clock import now
from attune.models.errors import AccessError, DataError, LabelStudioUnreachable
from tests.support import factories
from tests.support.desk import Desk, answer


@pytest.fixture
def desk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(factories.workspace(tmp_path), 20)
    monkeypatch.setattr(take_answers, "label_studio", lambda settings: made.store)
    monkeypatch.setattr(take_answers.ingest, "ask_to_learn", lambda *_: None)
    return made


def test_questions_come_in_the_order_of_the_round_and_not_twice(desk: Desk) -> None:
    keys = [task.key for task in desk.tasks]
    first = desk.ahead()
    assert first == keys[: next_questions.AHEAD]
    assert desk.ahead(*first) == keys[next_questions.AHEAD :]


def test_questions_that_a_round_has_not_placed_yet_come_last(desk: Desk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Task, desk.tasks[-1].id).run = 2
        session.get_one(Task, desk.tasks[-1].id).position = 0
    assert desk.ahead()[0] == desk.tasks[0].key


def test_what_is_handed_out_is_noted_so_that_no_round_takes_it_away(desk: Desk) -> None:
    before = now()
    shown = desk.ahead()
    with reading(desk.settings) as session:
        offered = dict(session.execute(select(Task.key, Task.offered_at)).all())
    assert all(offered[key] is not None and offered[key] >= before for key in shown)
    assert offered[desk.tasks[-1].key] is None


def test_removed_images_and_answered_questions_are_not_asked(desk: Desk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Asset, desk.tasks[0].asset_pk).removed_at = now()
    desk.take(answer(desk.tasks[1]))
    upcoming = next_questions.ahead(desk.settings, desk.viewer, "romance")
    assert upcoming.questions[0].key == desk.tasks[2].key
    assert (upcoming.left, upcoming.today) == (18, 1)
    assert [(one.question.key, one.value) for one in upcoming.past] == [(desk.tasks[1].key, "yes")]


@pytest.mark.parametrize("recent", [2, 3, 100])
def test_the_last_answers_are_found_however_many_newer_ones_were_deleted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(next_questions, "BACK", 2)
    monkeypatch.setattr(next_questions, "RECENT", recent)
    for task in desk.tasks[:5]:
        desk.take(answer(task))
    with writing(desk.settings) as session:
        gone = Annotation.asset_pk.in_([desk.tasks[place].asset_pk for place in (2, 4)])
        session.execute(update(Annotation).where(gone).values(deleted_at=now()))
    upcoming = next_questions.ahead(desk.settings, desk.viewer, "romance")
    assert [one.question.key for one in upcoming.past] == [desk.tasks[place].key for place in (1, 3)]
    assert upcoming.today == 3


def test_an_answer_counts_once_however_often_it_is_sent(desk: Desk) -> None:
    one = answer(desk.tasks[0])
    assert [desk.take(one), desk.take(one), desk.take(one)] == [[STORED]] * 3
    assert desk.counted() == [(desk.tasks[0].id, "yes")]


def test_a_later_answer_corrects_the_earlier(desk: Desk) -> None:
    desk.take(answer(desk.tasks[0], "yes"))
    desk.take(answer(desk.tasks[0], "no"))
    assert desk.counted() == [(desk.tasks[0].id, "no")]


def test_nothing_is_stored_on_another_persons_question(desk: Desk) -> None:
    """One bad key costs none of the good answers beside it."""
    assert desk.take(answer(desk.bos), answer(desk.tasks[0], "skip")) == [GONE, STORED]
    assert desk.counted() == [(desk.tasks[0].id, "skip")]


def test_an_answer_to_the_question_of_before_is_not_stored(desk: Desk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Attribute, desk.attribute.id).revision = 2
    assert desk.take(answer(desk.tasks[0])) == [REVISED]
    assert desk.take(answer(desk.tasks[0], "a class of before")) == [REVISED]
    assert desk.store.sent == []
    assert desk.take(answer(desk.tasks[0]), revision=2) == [STORED]


def test_an_answer_with_the_old_name_of_a_class_is_told_of_the_revision(desk: Desk) -> None:
    """A page that was told of a wrong value instead would send the same answer for ever."""
    with writing(desk.settings) as session:
        row = session.get_one(Attribute, desk.attribute.id)
        row.revision, row.classes = 2, ["tender", "no"]
    assert desk.take(answer(desk.tasks[0], "yes")) == [REVISED]
    assert desk.store.sent == []


def test_a_value_that_is_no_answer_stores_nothing(desk: Desk) -> None:
    with pytest.raises(DataError, match="maybe"):
        desk.take(answer(desk.tasks[0]), answer(desk.tasks[1], "maybe"))
    assert desk.store.sent == []


def test_while_label_studio_is_away_nothing_counts_and_all_may_be_sent_again(desk: Desk) -> None:
    one, desk.store.away = answer(desk.tasks[0]), True
    with pytest.raises(LabelStudioUnreachable):
        desk.take(one)
    assert desk.counted() == []
    desk.store.away = False
    assert desk.take(one) == [STORED]


@pytest.mark.parametrize("who", ["no expert", "closed queue", "removed"])
def test_without_an_open_queue_of_ones_own_there_is_no_page(desk: Desk, who: str) -> None:
    if who == "no expert":
        desk.viewer = Viewer("owner", "mo@desk.example", None, 2)
    with writing(desk.settings) as session:
        if who == "closed queue":
            session.get_one(Queue, desk.queue.id).closed_at = now()
        if who == "removed":
            session.get_one(Expert, desk.queue.expert_id).removed_at = now()
    with pytest.raises(AccessError):
        desk.ahead()
    with pytest.raises(AccessError):
        desk.take(answer(desk.tasks[0]))
