"""Answers that a process keeps in memory: whatever changes them shows in the next look, and nothing else costs one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import change, exclude_expert, held_answers
from attune.labeler.answers.counting import current
from attune.labeler.records.schema import Annotation, Attribute, AttributeRevision, Queue
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import databases, factories
from tests.support.databases import statements

Change = Callable[[Settings, Annotation, Queue], None]


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    made = factories.workspace(tmp_path, database_url=databases.database(request))
    yield made
    engine(made.records_url).dispose()


def rows(settings: Settings, attribute: int) -> list[tuple[int, int, int, str]]:
    """What is kept, as tuples; it must be what the database says now."""
    with reading(settings) as session:
        table = held_answers.of(session, attribute)
        kept = sorted(
            (int(one), int(asset), int(expert), table.words[code])
            for one, asset, expert, code in zip(table.ids, table.assets, table.experts, table.codes, strict=True)
        )
        answer = current([attribute])
        there = select(answer.c.id, answer.c.asset_pk, answer.c.expert_id, answer.c.value)
        assert kept == sorted(tuple(row) for row in session.execute(there))
    return kept


def changed(settings: Settings, answer: Annotation, **columns: object) -> None:
    with writing(settings) as session:
        row = session.get_one(Annotation, answer.id)
        for name, value in columns.items():
            setattr(row, name, value)
        change.remember(session, row, "changed", "sync")
        change.count(session, row.attribute_id)


def another(settings: Settings, answer: Annotation, queue: Queue) -> None:
    factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], "friendship")


def corrected(settings: Settings, answer: Annotation, _: Queue) -> None:
    changed(settings, answer, value="neither", updated_at=now())


def skipped(settings: Settings, answer: Annotation, _: Queue) -> None:
    changed(settings, answer, value="skip", updated_at=now())


def deleted(settings: Settings, answer: Annotation, _: Queue) -> None:
    changed(settings, answer, deleted_at=now())


def excluded(settings: Settings, *_: object) -> None:
    exclude_expert.exclude(settings, "ana@example.org")


def ended(settings: Settings, answer: Annotation, _: Queue) -> None:
    with writing(settings) as session:
        content = {"content": {}, "reason": "another question", "created_at": now()}
        session.add(AttributeRevision(attribute_id=answer.attribute_id, revision=2, answers_hold=False, **content))


@pytest.mark.parametrize("happens", [another, corrected, skipped, deleted, excluded, ended])
def test_a_change_shows_at_once(settings: Settings, happens: Change) -> None:
    romance = factories.add_attribute(settings)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    first, *_ = (factories.add_answer(settings, queue, one, "romance") for one in factories.add_assets(settings, 2))
    before = rows(settings, romance.id)
    assert len(before) == 2
    happens(settings, first, queue)
    assert rows(settings, romance.id) != before


def again(settings: Settings, answer: Annotation, queue: Queue) -> None:
    """Give an answer again as it was: it is the newest now, and nobody raises the counter, as nothing is to learn."""
    with writing(settings) as session:
        row = session.get_one(Annotation, answer.id)
        row.updated_at = now()
        change.remember(session, row, "changed", "sync")


def test_the_older_of_two_answers_given_again_counts(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    (asset,) = factories.add_assets(settings, 1)
    older = factories.add_answer(settings, queue, asset, "romance")
    factories.add_answer(settings, queue, asset, "friendship")
    assert [one[3] for one in rows(settings, romance.id)] == ["friendship"]
    again(settings, older, queue)
    assert [one[3] for one in rows(settings, romance.id)] == ["romance"]


def test_another_questions_answer_costs_no_reading_and_an_own_one_only_its_image(settings: Settings) -> None:
    romance, tender = factories.add_attribute(settings), factories.add_attribute(settings, "tender")
    ana, (asset, *others) = factories.add_expert(settings), factories.add_assets(settings, 4)
    queues = [factories.add_queue(settings, one, ana) for one in (romance, tender)]
    for one in others:
        factories.add_answer(settings, queues[0], one, "romance")
    with reading(settings) as session:
        table = held_answers.of(session, romance.id)
    factories.add_answer(settings, queues[1], asset, "romance")
    with statements(settings) as asked, reading(settings) as session:
        assert held_answers.of_each(session, [romance.id, tender.id])[romance.id] is table
    assert len([one for one in asked if "row_number" in one]) == 1
    factories.add_answer(settings, queues[0], asset, "neither")
    with statements(settings) as asked, reading(settings) as session:
        assert len(held_answers.of(session, romance.id).ids) == 4
    read = [one for one in asked if "row_number" in one]
    assert len(read) == 1
    assert ("asset_pk IN" in read[0]) is settings.records_url.startswith("sqlite")


def test_many_answers_to_one_question_leave_the_others_as_they_are(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_answers, "ANEW", 0)
    romance, tender = factories.add_attribute(settings), factories.add_attribute(settings, "tender")
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    with reading(settings) as session:
        table = held_answers.of_each(session, [romance.id, tender.id])[tender.id]
    factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], "romance")
    with reading(settings) as session:
        found = held_answers.of_each(session, [romance.id, tender.id])
    assert found[tender.id] is table
    assert len(found[romance.id].ids) == 1


def test_two_requests_at_once_read_the_answers_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    romance, real, times = factories.add_attribute(settings), held_answers._read, 0

    def look() -> None:
        with reading(settings) as session:
            held_answers.of(session, romance.id)

    second = threading.Thread(target=look)

    def slow(session: Session, keys: Sequence[int]) -> object:
        nonlocal times
        times += bool(keys)
        if keys and times == 1:
            second.start()
            second.join(0.3)  # it waits for us, or it would be done
        return real(session, keys)

    monkeypatch.setattr(held_answers, "_read", slow)
    look()
    second.join()
    assert times == 1


def test_what_is_rolled_back_is_kept_by_nobody(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings))
    answer = factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], "romance")
    before = rows(settings, romance.id)
    with writing(settings) as session:
        row = session.get_one(Annotation, answer.id)
        row.value = "neither"
        change.remember(session, row, "changed", "sync")
        change.count(session, romance.id)
        session.flush()
        assert held_answers.of(session, romance.id).words == ("neither",)
        session.rollback()
    assert rows(settings, romance.id) == before
    with reading(settings) as session:
        assert session.get_one(Attribute, romance.id).answers_counter == 1
