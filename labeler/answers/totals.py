"""How many answers there are: by class, by expert, by attribute."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, held_answers
from attune.labeler.answers.answer_table import AnswerTable, moment
from attune.labeler.records.schema import Annotation, Attribute, Expert
from attune.models.clock import now
from attune.models.labels.answers import SKIP, UNSURE


@dataclass(frozen=True)
class ExpertCount:
    """What one expert answered: ``by_value`` holds classes, then "unsure"; skips apart."""

    expert_id: int
    name: str
    answers: int
    skips: int
    by_value: Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """Answers on one attribute; ``answers`` leaves skips out and counts every person on every asset."""

    answers: int = 0
    assets: int = 0
    skips: int = 0
    by_value: Mapping[str, int] = field(default_factory=dict)
    experts: Sequence[ExpertCount] = ()
    at_work: int = 0

    def unanswered(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Those of ``classes`` that no one answered; none as long as there are no answers at all."""
        return tuple(name for name in classes if not self.by_value.get(name)) if self.answers else ()

    def share(self, value: str) -> float:
        """The share of the answers that said ``value``, in [0, 1]."""
        return self.by_value.get(value, 0) / self.answers if self.answers else 0.0


def count(session: Session, classes: Mapping[int, Sequence[str]]) -> dict[int, Counts]:
    """The counts of several attributes at once; ``classes`` maps an attribute's id to its classes, in their order."""
    tables = held_answers.of_each(session, list(classes))
    names = _names(session, {expert for table in tables.values() for expert, _ in table.tally})
    at_work = _at_work(session, classes)
    return {
        key: _counts(tables[key], names, [*order, UNSURE], at_work.get(key, 0)) if key in tables else Counts()
        for key, order in classes.items()
    }


def by_value(session: Session, attribute_id: int) -> dict[str, int]:
    """An attribute's answers by what they say; `counting.by_value` from memory."""
    found: dict[str, int] = defaultdict(int)
    for (_, value), number in held_answers.of(session, attribute_id).tally.items():
        if value != SKIP:
            found[value] += number
    return dict(found)


def by_expert(session: Session, experts: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """How many answers each expert has given to all attributes, and when the last; by the expert's id.

    `counting.by_expert` from memory.
    """
    tables = held_answers.of_each(session, session.scalars(select(Attribute.id)).all()).values()
    found = {}
    for expert in experts:
        given = [table.answered[table.is_answer & (table.experts == expert)] for table in tables]
        if any(map(len, given)):
            found[expert] = sum(map(len, given)), moment(int(max(one.max() for one in given if len(one))))
    return found


def by_attribute(session: Session, expert: int) -> dict[str, int]:
    """How many answers an expert has given, by the attribute's name; `counting.by_attribute` from memory."""
    names = dict(session.execute(select(Attribute.id, Attribute.name).order_by(Attribute.name)).all())
    tables = held_answers.of_each(session, list(names))
    numbers = {key: int((table.is_answer & (table.experts == expert)).sum()) for key, table in tables.items()}
    return {name: numbers[key] for key, name in names.items() if numbers.get(key)}


def on_removed(session: Session, attribute_id: int) -> int:
    """How many of an attribute's answers are on images that left the pool: counted, and in no export."""
    table, gone = held_answers.of(session, attribute_id), counting.answered_and_removed(attribute_id)
    return int((table.is_answer & np.isin(table.assets, session.scalars(gone).all())).sum())


def by_purpose(session: Session, attribute_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """The answers of each attribute by the purpose of their question, counted anew where one has other answers."""
    tables = held_answers.of_each(session, attribute_ids)
    return {key: table.remember("purposes", partial(_purposes, session, key, table)) for key, table in tables.items()}


def _purposes(session: Session, attribute_id: int, table: AnswerTable) -> dict[str, int]:
    rows = session.execute(select(Annotation.id, Annotation.purpose).where(Annotation.attribute_id == attribute_id))
    purposes = dict(rows.all())
    return Counter(purposes[key] for key in table.ids[table.is_answer].tolist())


def _counts(table: AnswerTable, names: Mapping[int, str], order: Sequence[str], at_work: int) -> Counts:
    tally: dict[int, dict[str, int]] = defaultdict(dict)
    for (expert_id, value), number in table.tally.items():
        tally[expert_id][value] = number
    experts = []
    for expert_id, own_counts in tally.items():
        values = {value: own_counts.get(value, 0) for value in order}
        skips = own_counts.get(SKIP, 0)
        experts.append(ExpertCount(expert_id, names[expert_id], sum(own_counts.values()) - skips, skips, values))
    experts.sort(key=lambda one: (-one.answers, one.name))
    by_value = {value: sum(one.by_value[value] for one in experts) for value in order}
    answers, skips = sum(one.answers for one in experts), sum(one.skips for one in experts)
    return Counts(answers, table.images, skips, by_value, tuple(experts), at_work)


def _names(session: Session, ids: set[int]) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(Expert.id, Expert.name).where(Expert.id.in_(ids)))}


def _at_work(session: Session, classes: Mapping[int, Sequence[str]]) -> dict[int, int]:
    since = now() - timedelta(hours=24)
    return dict(
        session.execute(
            select(Annotation.attribute_id, func.count(Annotation.expert_id.distinct()))
            .where(
                Annotation.attribute_id.in_(list(classes)),
                Annotation.answered_at >= since,
                Annotation.deleted_at.is_(None),
            )
            .group_by(Annotation.attribute_id)
        ).all()
    )
