"""How far to rely on whom, and who answers otherwise than the rest: for those who manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.labeler.records.run_advice import AgreesWithProbe, ExpertReliability, RunAdvice
from attune.labeler.views.quality import Quality
from attune.labeler.views.quality import of_json as quality


@dataclass(frozen=True)
class ExpertRow:
    """An expert: the share of right answers on the images that others saw too, what an answer counts, and ``beside``,
    the share of the audit answers that are the probe's class."""

    expert: str
    email: str
    right: Quality | None
    weight: float
    beside: Quality | None = None


@dataclass(frozen=True)
class Differs:
    """The expert who answers otherwise than the rest: ``how``, where the audit tells it, and the average precision on
    everyone else's audit answers."""

    expert: str
    email: str
    key: int | None
    how: str
    without: Quality | None


def experts(
    people: Mapping[str, tuple[str, int]],
    reliabilities: Sequence[ExpertReliability],
    audited: Sequence[AgreesWithProbe],
) -> list[ExpertRow]:
    """Everybody of whom anything is known; who agrees most with the others, or else with the probe, first."""
    shared, beside = (
        {reliability.expert: reliability for reliability in reliabilities},
        {reliability.expert: reliability for reliability in audited},
    )
    rows = [
        ExpertRow(
            people[email][0] if email in people else email,
            email,
            quality(shared[email].accuracy) if email in shared else None,
            shared[email].weight if email in shared else 1.0,
            quality(beside[email].agrees) if email in beside else None,
        )
        for email in {**shared, **beside}
    ]

    def place(row: ExpertRow) -> tuple[float, float, str]:
        right, agrees = (-((part.value if part else None) or 0.0) for part in (row.right, row.beside))
        return right, agrees, row.expert

    return sorted(rows, key=place) if len(rows) > 1 else []


def differs(people: Mapping[str, tuple[str, int]], run_advice: RunAdvice) -> Differs | None:
    """Whom a run's advice names, if anyone."""
    email, beside = run_advice.differs, run_advice.beside_probe
    if not email:
        return None
    name, key = people.get(email, (email, None))
    if beside is None or beside.odd != email:
        return Differs(name, email, key, "", None)
    return Differs(name, email, key, beside.sentence or "", quality(beside.without))
