"""Who answers otherwise than the other experts, as far as the audit can tell?

Experts answer images of their own, so what they share, and with it their agreement, is known late. The audit's images
are drawn by lot, dealt out in turn, and no head has learned from them (a calibration has): there each expert can be
held against the others from the first answers on, by how often a class is said and by how often it is not the probe's.
Either says who answers otherwise, never who is right: a probe that leans to "no" contradicts a careful expert and never
one who always says no. So how often a class is said, which needs no probe, comes first, and what the probe contradicts
tells only where it does so in more than one direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from attune.models.evaluation.intervals import share_interval
from attune.models.evaluation.metrics import Metric

METHOD = "audit answers that are the probe's class"
LEAST = 10  # audit answers of an expert; two others must have as many, as nobody knows which of two is odd
LEVEL = 0.003  # shared among all that is compared: it is looked at after every round
GAP = 0.2  # a smaller one is a matter of taste
BOTH_WAYS = 0.2  # of what the probe contradicts, so much at least lies outside its commonest class there
CLEARER = 10.0  # times less likely by chance than anybody else's
STAYS = 0.5  # who was named stays so while this part of the gap is left
# Audits answered one after the other that are compared with each other: what is drawn changes as the probe learns, so
# somebody who joins late answers other images.
BLOCK = 20

Bools = npt.NDArray[np.bool_]


class AuditAnswer(NamedTuple):
    """An audit answer: who said which class, and the newest probe's class for the image."""

    expert: str
    said: int
    predicted: int


@dataclass(frozen=True)
class Odd:
    """An expert who answers otherwise: the ``share`` of the answers that are ``what``, and what it would be if the
    ``others`` had answered those images' like. ``what`` is a class, or None for answers that the probe contradicts."""

    expert: str
    what: int | None
    share: float
    others: float

    @property
    def gap(self) -> float:
        """How far apart the two are, in [0, 1]."""
        return abs(self.share - self.others)


def beside_probe(answers: Sequence[AuditAnswer]) -> dict[str, Metric]:
    """By expert: the share of the audit answers that are the probe's class."""
    found = {}
    for expert in sorted({one.expert for one in answers}):
        mine = [one.said == one.predicted for one in answers if one.expert == expert]
        lo, hi = share_interval(float(sum(mine)), len(mine))
        found[expert] = Metric(f"beside_probe:{expert}", sum(mine) / len(mine), lo, hi, len(mine), METHOD)
    return found


def odd_one(answers: Sequence[AuditAnswer], classes: int, before: str | None = None) -> Odd | None:
    """The expert who answers otherwise than all others together, where chance would hardly do it.

    ``answers`` in the order in which they were given. Mantel and Haenszel's test (J. Natl. Cancer Inst. 22, 1959) over
    blocks of ``BLOCK`` answers, at ``LEVEL`` shared among what is compared, and at least ``GAP`` apart. Nobody is named
    for what the probe contradicts while another says a class far more, or less, often than the rest: the probe may have
    learned it from that one. ``before``: who was named at the last look.
    """
    names = np.array([one.expert for one in answers])
    able = [name for name in np.unique(names).tolist() if (names == name).sum() >= LEAST] if len(answers) else []
    if len(able) < 3:
        return None
    said = np.array([one.said for one in answers])
    # Of two classes the second is what the first is not.
    rates = [_held(names == name, said == k, name, k) for name in able for k in range(1 if classes == 2 else classes)]
    rates.sort(key=_order)
    unusual = [one for one in rates if one.chance * len(rates) < LEVEL]
    for one in [*_clearly(rates, unusual), *(one for one in rates if one.odd.expert == before)]:
        if one.odd.gap >= _least(one.odd, before):
            return one.odd
    predicted = np.array([one.predicted for one in answers])
    against = said != predicted
    both_ways = [name for name in able if _both_ways(predicted[against & (names == name)])]
    contradicted = [_held(names == name, against, name, None) for name in both_ways]
    clear = [one for one in contradicted if one.odd.share > one.odd.others and one.odd.gap >= _least(one.odd, before)]
    sure = [one for one in clear if one.chance * len(able) < LEVEL or one.odd.expert == before]
    if not sure:
        return None
    odd = min(sure, key=_order).odd
    return None if unusual and unusual[0].odd.expert != odd.expert else odd


def _clearly(rates: Sequence[_Held], unusual: Sequence[_Held]) -> Sequence[_Held]:
    """The most unusual one, where nobody else is nearly as unusual: beside one who never says a class, who does looks
    odd too."""
    first = unusual[:1]
    return [
        one for one in first if all(one.chance * CLEARER <= o.chance or o.odd.expert == one.odd.expert for o in rates)
    ]


def _both_ways(predicted: npt.NDArray[np.intp]) -> bool:
    """Whether what is contradicted, given by the probe's classes there, is more than the probe's leaning to one."""
    return bool(len(predicted)) and np.bincount(predicted).max() <= (1.0 - BOTH_WAYS) * len(predicted)


class _Held(NamedTuple):
    """One expert held against the others, and the probability that chance alone sets them so far apart."""

    chance: float
    odd: Odd


def _order(one: _Held) -> tuple[float, str, int]:
    return one.chance, one.odd.expert, -1 if one.odd.what is None else one.odd.what


def _least(odd: Odd, before: str | None) -> float:
    return GAP * STAYS if odd.expert == before else GAP


def _held(mine: Bools, hit: Bools, expert: str, what: int | None) -> _Held:
    """``mine``: whose answers; ``hit``: which of all answers are what is compared; both in the order of answering."""
    surplus = variance = share = others = n = 0.0
    for start in range(0, len(mine), BLOCK):
        one, all_hit = mine[start : start + BLOCK], hit[start : start + BLOCK]
        size, own, hits, own_hits = len(one), int(one.sum()), int(all_hit.sum()), int((one & all_hit).sum())
        rest = size - own
        if not own or not rest:
            continue
        surplus += own_hits - own * hits / size
        variance += own * rest * hits * (size - hits) / (size**2 * (size - 1))
        share, others, n = share + own_hits, others + own * (hits - own_hits) / rest, n + own
    if n < LEAST or not variance:
        return _Held(1.0, Odd(expert, what, 0.0, 0.0))
    # A class may be said too often or too seldom; who is contradicted too seldom is nobody's concern.
    far = max((surplus if what is None else abs(surplus)) - 0.5, 0.0) / np.sqrt(variance)
    chance = float(ndtr(-far)) * (1 if what is None else 2)
    return _Held(chance, Odd(expert, what, share / n, others / n))
