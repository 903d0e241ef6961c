"""Answers that a process keeps in memory: whatever changes them shows in the next look, and nothing else costs one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from attune.labeler.answers import change, exclude_expert, held_answers
from attune.labeler.answers.counting import current
from attune.labeler.records.schema import Annotation, Attribute, AttributeRevision, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import factories
from tests.support.databases import statements

Change = Callable[[Settings, Annotation, Queue], None]


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


def test_another_questions_answer_costs_no_reading_and_an_own_one_only_its_image(settings: Settings) -> None:
    romance, tender = factories.add_attribute(settings), factories.add_attribute(settings, "tender")
    ana, (asset, *others) = factories.add_expert(settings), factories.add_assets(settings, 4)
    queues = [factories.add_queue(settings, one, ana) for one in (romance, tender)]
    for one in others:
        factories.add_answer(settings, queues[0], one, "romance")
    with reading(settings) as session:
        table = held_answers.of(session, romance.id)
    factories.add_answer(settings, queues[1], asset, "romance")
    with reading(settings) as session:
        assert held_answers.of(session, romance.id) is table
    factories.add_answer(settings, queues[0], asset, "neither")
    with statements(settings) as asked, reading(settings) as session:
        assert len(held_answers.of(session, romance.id).ids) == 4
    assert [one for one in asked if "row_number" in one and "asset_pk IN" in one]


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
