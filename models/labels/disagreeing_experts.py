"""Who answers otherwise than the other experts, as far as the audit can tell?

Experts answer images of their own, so what they share, and with it their agreement, is known late. The audit's images
are drawn at random, dealt out in turn, and no head has learned from them (a calibration has): there each expert can be
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
LEAST = 10  # audit answers of an expert; two others must have as many, as no one knows which of two is odd
LEVEL = 0.003  # shared among all that is compared: it is looked at after every round
GAP = 0.2  # a smaller one is a matter of taste
BOTH_WAYS = 0.2  # of what the probe contradicts, so much at least lies outside its commonest class there
CLEARER = 10.0  # times less likely by chance than anyone else's
STAYS = 0.5  # who was named stays so while this part of the gap is left
# Audits answered one after the other that are compared with each other: what is drawn changes as the probe learns, so
# someone who joins late answers other images.
BLOCK = 20

Bools = npt.NDArray[np.bool_]


class AuditAnswer(NamedTuple):
    """An audit answer: who said which class, and the newest probe's class for the image."""

    expert: str
    said: int
    predicted: int


@dataclass(frozen=True)
class ExpertDifference:
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


def agreement_with_probe(answers: Sequence[AuditAnswer]) -> dict[str, Metric]:
    """By expert: the share of the audit answers that are the probe's class."""
    rates = {}
    for expert in sorted({one.expert for one in answers}):
        mine = [one.said == one.predicted for one in answers if one.expert == expert]
        lo, hi = share_interval(float(sum(mine)), len(mine))
        rates[expert] = Metric(f"beside_probe:{expert}", sum(mine) / len(mine), lo, hi, len(mine), METHOD)
    return rates


def differing_expert(
    answers: Sequence[AuditAnswer], classes: int, before: str | None = None
) -> ExpertDifference | None:
    """The expert who answers otherwise than all others together, where chance would hardly do it.

    ``answers`` in the order in which they were given. Mantel and Haenszel's test (J. Natl. Cancer Inst. 22, 1959) over
    blocks of ``BLOCK`` answers, at ``LEVEL`` shared among what is compared, and at least ``GAP`` apart. No one is named
    for what the probe contradicts while another says a class far more, or less, often than the rest: the probe may have
    learned it from that one. ``before``: who was named at the last look.
    """
    names = np.array([rate.expert for rate in answers])
    able = [name for name in np.unique(names).tolist() if (names == name).sum() >= LEAST] if len(answers) else []
    if len(able) < 3:
        return None
    classes_given = np.array([rate.said for rate in answers])
    # Of two classes the second is what the first is not.
    rates = [
        _compare(names == name, classes_given == k, name, k)
        for name in able
        for k in range(1 if classes == 2 else classes)
    ]
    rates.sort(key=_rank)
    unusual = [rate for rate in rates if rate.chance * len(rates) < LEVEL]
    for rate in [*_clearest(rates, unusual), *(rate for rate in rates if rate.odd.expert == before)]:
        if rate.odd.gap >= _required_gap(rate.odd, before):
            return rate.odd
    predicted = np.array([rate.predicted for rate in answers])
    against = classes_given != predicted
    both_ways = [name for name in able if _contradicts_both_ways(predicted[against & (names == name)])]
    contradicted = [_compare(names == name, against, name, None) for name in both_ways]
    clear = [
        rate
        for rate in contradicted
        if rate.odd.share > rate.odd.others and rate.odd.gap >= _required_gap(rate.odd, before)
    ]
    sure = [rate for rate in clear if rate.chance * len(able) < LEVEL or rate.odd.expert == before]
    if not sure:
        return None
    odd = min(sure, key=_rank).odd
    return None if unusual and unusual[0].odd.expert != odd.expert else odd


def _clearest(rates: Sequence[_Comparison], unusual: Sequence[_Comparison]) -> Sequence[_Comparison]:
    """The most unusual one, where no one else is nearly as unusual: beside one who never says a class, who does looks
    odd too."""
    first = unusual[:1]
    return [
        one for one in first if all(one.chance * CLEARER <= o.chance or o.odd.expert == one.odd.expert for o in rates)
    ]


def _contradicts_both_ways(predicted: npt.NDArray[np.intp]) -> bool:
    """Whether what is contradicted, given by the probe's classes there, is more than the probe's leaning to one."""
    return bool(len(predicted)) and np.bincount(predicted).max() <= (1.0 - BOTH_WAYS) * len(predicted)


class _Comparison(NamedTuple):
    """One expert held against the others, and the probability that chance alone sets them so far apart."""

    chance: float
    odd: ExpertDifference


def _rank(candidate: _Comparison) -> tuple[float, str, int]:
    return candidate.chance, candidate.odd.expert, -1 if candidate.odd.what is None else candidate.odd.what


def _required_gap(odd: ExpertDifference, before: str | None) -> float:
    return GAP * STAYS if odd.expert == before else GAP


def _compare(mine: Bools, hit: Bools, expert: str, what: int | None) -> _Comparison:
    """``mine``: whose answers; ``hit``: which of all answers are what is compared; both in the order of answering."""
    surplus = variance = share = others = n = 0.0
    for start in range(0, len(mine), BLOCK):
        block, all_hit = mine[start : start + BLOCK], hit[start : start + BLOCK]
        size, own, hits, own_hits = len(block), int(block.sum()), int(all_hit.sum()), int((block & all_hit).sum())
        rest = size - own
        if not own or not rest:
            continue
        surplus += own_hits - own * hits / size
        variance += own * rest * hits * (size - hits) / (size**2 * (size - 1))
        share, others, n = share + own_hits, others + own * (hits - own_hits) / rest, n + own
    if n < LEAST or not variance:
        return _Comparison(1.0, ExpertDifference(expert, what, 0.0, 0.0))
    # A class may be said too often or too seldom; who is contradicted too seldom is no one's concern.
    far = max((surplus if what is None else abs(surplus)) - 0.5, 0.0) / np.sqrt(variance)
    chance = float(ndtr(-far)) * (1 if what is None else 2)
    return _Comparison(chance, ExpertDifference(expert, what, share / n, others / n))
