"""How many answers there are: by class, by expert, by attribute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers
from attune.labeler.answers.answer_table import AnswerTable
from attune.labeler.records.schema import Annotation, Expert
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
