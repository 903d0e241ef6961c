"""How far can each expert be relied on, and what did the panel most likely mean?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attune.models.evaluation.intervals import share_interval
from attune.models.evaluation.metrics import Metric, unknown
from attune.models.labels.panel import NO_VOTE, Panel

Floats = NDArray[np.float64]

DAWID_SKENE = "Dawid-Skene"
DAWID_SKENE_EXPERTS = 3
DAWID_SKENE_SHARED = 30
ITERATIONS = 100
LEAST_TRUST = 0.25  # of the most reliable expert's: where taste is asked, a number is no reason to leave anyone out


@dataclass(frozen=True, eq=False)
class Reliability:
    """One expert: ``accuracy`` over the images others saw too, and ``confusion`` float64 (classes, classes), rows the
    likely truth, columns what the expert says."""

    expert: str
    accuracy: Metric
    confusion: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        accuracy = self.accuracy.to_dict()
        return {"expert": self.expert, "accuracy": accuracy, "confusion": self.confusion.round(4).tolist()}


def reliabilities(panel: Panel) -> list[Reliability]:
    """Each expert's reliability, in the panel's order.

    Dawid and Skene's model (Applied Statistics 28, 1979; crowd-kit's implementation) from ``DAWID_SKENE_EXPERTS``
    experts with ``DAWID_SKENE_SHARED`` shared images each; with less, agreement with the majority of the others, which
    cannot tell who is wrong where two disagree.
    """
    return _reliabilities_given(panel, likely_truth(panel)) if _enough(panel) else _reliabilities_given(panel, None)


def likely_truth(panel: Panel) -> Floats:
    """The probability of each class being meant, float64 (assets, classes): Dawid-Skene where the panel is large
    enough for it, else the shares of the votes."""
    counts = panel.counts()
    if not _enough(panel):
        return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)
    # Imported here: crowd-kit brings pandas, which a learning round without several experts need not load.
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    row, seat = np.nonzero(panel.votes != NO_VOTE)
    table = pd.DataFrame({"task": row, "worker": seat, "label": panel.votes[row, seat]})
    with warnings.catch_warnings():
        # crowd-kit 1.4 still writes pandas 2's way; what it computes is tested against known experts.
        warnings.simplefilter("ignore", DeprecationWarning)
        model: Any = DawidSkene(n_iter=ITERATIONS).fit(table)
    probabilities = model.probas_.reindex(index=range(len(counts)), columns=range(len(panel.classes)), fill_value=0.0)
    return np.asarray(probabilities.fillna(0.0).to_numpy(), dtype=np.float64)


def _enough(panel: Panel) -> bool:
    shared = (panel.votes != NO_VOTE).sum(axis=1) >= 2
    return int((_shared_by(panel, shared) >= DAWID_SKENE_SHARED).sum()) >= DAWID_SKENE_EXPERTS


def _shared_by(panel: Panel, shared: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.asarray((panel.votes[shared] != NO_VOTE).sum(axis=0), dtype=np.intp)


def _reliabilities_given(panel: Panel, truth: Floats | None) -> list[Reliability]:
    shared = (panel.votes != NO_VOTE).sum(axis=1) >= 2
    return [_reliability_of(panel, seat, shared, truth) for seat in range(len(panel.experts))]


def _reliability_of(panel: Panel, seat: int, shared: NDArray[np.bool_], truth: Floats | None) -> Reliability:
    classes = len(panel.classes)
    if truth is None:
        majority = panel.without(seat)
        comparable = shared & (panel.votes[:, seat] != NO_VOTE) & (majority != NO_VOTE)
        weights, method = np.eye(classes)[majority[comparable]], "agreement with the majority of the others"
        total = float(comparable.sum())
    else:
        comparable = shared & (panel.votes[:, seat] != NO_VOTE)
        weights, method = truth[comparable], DAWID_SKENE
        # The likely truth is itself a guess, in part the expert's own: of m votes on an image m - 1 are other people's.
        doubt = -(weights * np.log(np.clip(weights, 1e-12, 1.0))).sum(axis=1) / np.log(classes)
        votes = (panel.votes[comparable] != NO_VOTE).sum(axis=1)
        total = float(((1.0 - doubt) * (votes - 1.0) / votes).sum())
    given_votes = panel.votes[comparable, seat]
    confusion = weights.T @ np.eye(classes)[given_votes]
    n, right = int(comparable.sum()), float(np.trace(confusion))
    # One imagined right answer for each class keeps an expert of three answers from being called perfect or useless.
    smoothed = (confusion + np.eye(classes)) / (confusion.sum(axis=1, keepdims=True) + 1.0)
    name = f"reliability:{panel.experts[seat]}"
    if not n:
        return Reliability(panel.experts[seat], unknown(name, 0, method, "no image was also seen by another"), smoothed)
    share = min(right / n, 1.0)
    lo, hi = share_interval(share * total, total)
    # Where all but nothing is right the interval ends at the share itself, and rounding may put one above the other.
    return Reliability(panel.experts[seat], Metric(name, share, min(lo, share), max(hi, share), n, method), smoothed)


def answer_weights(per_expert: Sequence[Reliability]) -> dict[str, float]:
    """What an expert's answer weighs in ``labels.consensus``, from 0.25 to 1: no one is silenced by a number.

    Balanced accuracy over chance, beside the most reliable expert's, who is the one whose interval begins highest; 1
    where the intervals of the two meet, for who shares fewer than ``DAWID_SKENE_SHARED`` images, and for all where too
    little is shared for Dawid and Skene's model: of two who disagree no one knows who is wrong. ``per_expert`` must
    come from images that were not chosen because someone looked wrong (``without_doubt_driven``); otherwise the
    expert who works most looks right.
    """
    enough = [
        reliability
        for reliability in per_expert
        if reliability.accuracy.n >= DAWID_SKENE_SHARED and reliability.accuracy.method == DAWID_SKENE
    ]
    weights = dict.fromkeys((reliability.expert for reliability in per_expert), 1.0)
    if not enough:
        return weights
    best = max(enough, key=lambda reliability: reliability.accuracy.lo or 0.0)
    for reliability in enough:
        if (reliability.accuracy.hi or 0.0) < (best.accuracy.lo or 0.0):
            weights[reliability.expert] = float(
                np.clip(_above_chance(reliability) / _above_chance(best), LEAST_TRUST, 1.0)
            )
    return weights


def _above_chance(reliability: Reliability) -> float:
    chance = 1.0 / len(reliability.confusion)
    return max((float(np.diag(reliability.confusion).mean()) - chance) / (1.0 - chance), 1e-6)
