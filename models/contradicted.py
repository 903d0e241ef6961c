"""Whose audit answers does the probe contradict far more often than the others'?

Experts answer images of their own, so what they share, and with it their agreement, is known late. The audit's images
are drawn by lot for everybody and the probe has learned from none of them: beside it each expert can be seen from the
first answers on. It says who answers otherwise, never who is right: a probe that a careless majority taught contradicts
the careful one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from models.intervals import share_interval
from models.metrics import Metric

METHOD = "audit answers that are the probe's class"
LEAST = 10  # audit answers of an expert, and of all others together, before anything is said
# Looked at after each answer up to 120 audits an expert, panels of alike experts are called uneven in 0 to 2 % of
# campaigns; one who guesses among careful ones is seen after 14 audits an expert (median).
LEVEL = 0.003
GAP = 0.2  # a smaller one is a matter of taste


@dataclass(frozen=True)
class Beside:
    """An expert beside the probe: ``agrees``, the share of the expert's audit answers that are the probe's class."""

    expert: str
    agrees: Metric

    @property
    def against(self) -> int:
        """How many of the answers the probe contradicts."""
        return round((1.0 - (self.agrees.value or 0.0)) * self.agrees.n)


@dataclass(frozen=True)
class Odd:
    """An expert who answers otherwise than the rest: the share that the probe contradicts, and that of the others."""

    expert: str
    share: float
    others: float


def beside_probe(answers: Iterable[tuple[str, bool]]) -> list[Beside]:
    """Each expert beside the probe, by name, from (expert, whether the audit answer is the probe's class)."""
    said: dict[str, list[bool]] = {}
    for expert, agrees in answers:
        said.setdefault(expert, []).append(agrees)
    found = []
    for expert, agree in sorted(said.items()):
        share, n = float(np.mean(agree)), len(agree)
        lo, hi = share_interval(float(sum(agree)), n)
        found.append(Beside(expert, Metric(f"beside_probe:{expert}", share, lo, hi, n, METHOD)))
    return found


def odd_one(found: Sequence[Beside]) -> Odd | None:
    """The expert whom the probe contradicts far more often than all others together, if chance would not do it.

    Fisher's exact test, one-sided, at ``LEVEL`` shared among the experts, as the worst of several is looked at; and at
    least ``GAP`` apart.
    """
    worst = max(found, key=lambda one: (1.0 - (one.agrees.value or 0.0), one.expert), default=None)
    if worst is None:
        return None
    others = [one for one in found if one is not worst]
    n, rest = worst.agrees.n, sum(one.agrees.n for one in others)
    if min(n, rest) < LEAST:
        return None
    against = sum(one.against for one in others)
    chance = float(hypergeom.sf(worst.against - 1, n + rest, worst.against + against, n))
    odd = Odd(worst.expert, worst.against / n, against / rest)
    return odd if chance * len(found) < LEVEL and odd.share - odd.others >= GAP else None
