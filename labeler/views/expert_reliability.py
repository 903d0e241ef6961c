"""How far to rely on whom, and who answers otherwise than the rest: for those who manage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.records.advice import BESIDE
from attune.labeler.views.quality import Quality, read


@dataclass(frozen=True)
class Relied:
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
    everybody else's audit answers."""

    expert: str
    email: str
    key: int | None
    how: str
    without: Quality | None


def experts(
    people: Mapping[str, tuple[str, int]], held: Sequence[Mapping[str, Any]], audited: Sequence[Mapping[str, Any]]
) -> list[Relied]:
    """Everybody of whom anything is known; who agrees most with the others, or else with the probe, first."""
    shared, beside = ({one["expert"]: one for one in told} for told in (held, audited))
    found = [
        Relied(
            people[email][0] if email in people else email,
            email,
            read(shared[email], "accuracy") if email in shared else None,
            float(shared[email]["weight"]) if email in shared else 1.0,
            read(beside[email], "agrees") if email in beside else None,
        )
        for email in {**shared, **beside}
    ]

    def place(one: Relied) -> tuple[float, float, str]:
        right, agrees = (-((part.value if part else None) or 0.0) for part in (one.right, one.beside))
        return right, agrees, one.expert

    return sorted(found, key=place) if len(found) > 1 else []


def differs(people: Mapping[str, tuple[str, int]], said: Mapping[str, Any]) -> Differs | None:
    """Whom a run's advice names, if anybody."""
    beside = said.get(BESIDE) or {}
    email = said.get("differs")
    if not email:
        return None
    by_audit = beside.get("odd") == email
    name, key = people.get(email, (email, None))
    how = str(beside.get("sentence", "")) if by_audit else ""
    return Differs(name, email, key, how, read(beside, "without") if by_audit else None)
