"""Do the experts agree, on what not, and does the probe agree with them as well as they do with each other?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.evaluation.intervals import PART, draws_in_parts, percentile_interval
from attune.models.evaluation.metrics import Metric, unknown
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.text import plural
from attune.models.threads import one_thread

Floats = NDArray[np.float64]

# Krippendorff (Content Analysis, 2018, ch. 12) relies on 0.8 and above and concludes tentatively from 0.667. Taste is
# harder: below this, the definition rather than the probe is what needs work.
TENTATIVE = 0.4
# Fewer images seen by two experts than this say nothing about agreement.
LEAST_SHARED = 10


def alpha(panel: Panel, seed: int = 0) -> Metric:
    """Krippendorff's alpha for nominal data with missing votes: 1 is agreement, 0 what chance would give.

    Its interval resamples titles. Images with one vote do not count. On images chosen because they are doubtful it is
    far lower than on all, so leave those out (``attune.models.labels.agreement_sample.comparable``).
    """
    counts = panel.counts()
    shared = counts.sum(axis=1) >= 2
    n, method = int(shared.sum()), "Krippendorff's alpha, nominal, title bootstrap"
    if n < LEAST_SHARED:
        return unknown(
            "alpha", n, method, f"{plural(n, 'image', 'have')} answers of 2 experts, at least {LEAST_SHARED} are needed"
        )
    parts = _with_all(np.asarray(panel.title_ids)[shared].tolist(), seed)
    with one_thread():  # of several, each sums some rows: the last bits would be another machine's
        sample = np.concatenate([alphas(counts[shared], weights) for weights in parts])
    if not np.isfinite(sample[0]):
        return unknown("alpha", n, method, "all answers are the same class, so agreement is undefined")
    return Metric("alpha", float(sample[0]), *percentile_interval(sample[1:], float(sample[0])), n, method)


def alpha_without_one(panel: Panel, seed: int = 0) -> tuple[str, Metric] | None:
    """The expert whose leaving out lets the others agree best, and their ``alpha``; None where none is known.

    Of three experts or more. Far above ``alpha`` itself, one expert answers otherwise than the rest, and the definition
    may be fine. The best of several is a little too high.
    """
    if len(panel.experts) < 3:
        return None
    without_each = [(name, alpha(panel.leaving_out(seat), seed)) for seat, name in enumerate(panel.experts)]
    defined = [(name, metric) for name, metric in without_each if metric.value is not None]
    return max(defined, key=lambda one: one[1].value or 0.0, default=None)


def alphas(counts: NDArray[np.intp], weights: Floats) -> Floats:
    """Alpha of vote ``counts`` (images, classes), 2 or more votes each, under ``weights`` (draws, images), (draws,).

    From the coincidence matrix: 1 - observed / expected disagreement (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011). NaN where only one class occurs.
    """
    votes = counts.sum(axis=1)
    apart = (votes**2 - (counts**2).sum(axis=1)) / (votes - 1)
    marginal = weights @ counts
    total = marginal.sum(axis=1)
    expected = (total**2 - (marginal**2).sum(axis=1)) / np.maximum(total - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(expected > 0, 1.0 - (weights @ apart) / expected, np.nan), dtype=np.float64)


@dataclass(frozen=True)
class Disputed:
    """An image that experts disagree on: who said what, and how evenly they are split, in (0, 1]."""

    asset_id: str
    title_id: str
    votes: dict[str, str]
    split: float


def disputed(panel: Panel) -> list[Disputed]:
    """The images with two or more different votes, most evenly split first, then most voted on, then by id.

    ``split`` is the entropy of the votes over that of an even split of all classes.
    """
    counts = panel.counts()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1) / np.log(len(panel.classes))
    rows = [i for i in range(len(counts)) if (counts[i] > 0).sum() > 1]
    rows.sort(key=lambda i: (-round(entropy[i], 9), -counts[i].sum(), panel.asset_ids[i]))
    return [
        Disputed(panel.asset_ids[i], panel.title_ids[i], _votes_by_expert(panel, i), float(entropy[i])) for i in rows
    ]


def _votes_by_expert(panel: Panel, row: int) -> dict[str, str]:
    votes = zip(panel.experts, panel.votes[row].tolist(), strict=True)
    return {expert: panel.classes[vote] for expert, vote in votes if vote != NO_VOTE}


@dataclass(frozen=True)
class Parity:
    """How well one expert predicts the others, and how well the probe does on the very same images and majorities.

    Each is Cohen's kappa with the majority of the others; ``difference`` is probe minus expert, paired. At or above 0
    a better probe cannot be told from these experts: more answers will not help, a clearer definition may.
    """

    expert: Metric
    probe: Metric
    difference: Metric


def panel_parity(panel: Panel, probabilities: ArrayLike, seed: int = 0) -> Parity:
    """The human ceiling beside the probe.

    Each vote is held against the majority of the other experts (none on a tie), and so is the probe's class for that
    image. ``probabilities`` (assets, classes) must be out of sample: audit answers, or cross-validated; NaN rows are
    left out. Raises DataError on a shape that does not fit.
    """
    proba = np.asarray(probabilities, dtype=np.float64)
    if proba.shape != (len(panel.asset_ids), len(panel.classes)):
        expected = (len(panel.asset_ids), len(panel.classes))
        raise DataError(f"Probabilities have the shape {proba.shape}. Expected {expected}, one row per asset.")
    human, machine, others, rows = _pairs(panel, proba)
    method = "kappa with the majority of the other experts, title bootstrap"
    n = len(np.unique(rows))
    if n < LEAST_SHARED:
        reason = f"{plural(n, 'image', 'have')} a majority of the other experts, at least {LEAST_SHARED} are needed"
        names = ("expert_parity", "probe_parity", "parity_difference")
        return Parity(*(unknown(name, n, method, reason) for name in names))
    titles = np.asarray(panel.title_ids)[rows].tolist()
    kappas = [
        [_kappas(given, others, len(panel.classes), weights) for given in (human, machine)]
        for weights in _with_all(titles, seed)
    ]
    expert_kappas, probe_kappas = np.concatenate(kappas, axis=1)
    return Parity(
        _metric("expert_parity", expert_kappas, n, method),
        _metric("probe_parity", probe_kappas, n, method),
        _metric("parity_difference", probe_kappas - expert_kappas, n, "paired " + method),
    )


def _with_all(titles: Sequence[str], seed: int) -> Iterator[Floats]:
    """How often each row counts in parts (m, n): all of them once, then the draws.

    BLAS takes some rows of a matrix at a time and the last few otherwise, so parts begin at multiples of ``PART``: the
    same sums to the last bit as of one matrix.
    """
    draws = draws_in_parts(titles, np.random.default_rng(seed), first=PART - 1)
    yield np.concatenate([np.ones((1, len(titles))), next(draws)])
    yield from draws


def _pairs(panel: Panel, proba: Floats) -> tuple[NDArray[np.intp], ...]:
    human, machine, others, rows = [], [], [], []
    has_prediction = np.asarray(np.isfinite(proba).all(axis=1), dtype=np.bool_)
    predicted = np.where(has_prediction[:, None], proba, 0.0).argmax(axis=1)
    for seat in range(len(panel.experts)):
        majority = panel.without(seat)
        common_rows = np.flatnonzero((majority != NO_VOTE) & (panel.votes[:, seat] != NO_VOTE) & has_prediction)
        human.append(panel.votes[common_rows, seat])
        machine.append(predicted[common_rows])
        others.append(majority[common_rows])
        rows.append(common_rows)
    if not rows:
        return tuple(np.zeros(0, dtype=np.intp) for _ in range(4))
    return tuple(np.concatenate(part).astype(np.intp) for part in (human, machine, others, rows))


def _kappas(given: NDArray[np.intp], others: NDArray[np.intp], classes: int, weights: Floats) -> Floats:
    total = weights.sum(axis=1)
    observed = weights @ (given == others) / total
    mine, theirs = (weights @ np.eye(classes)[side] / total[:, None] for side in (given, others))
    chance = (mine * theirs).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(chance < 1, (observed - chance) / (1 - chance), np.nan), dtype=np.float64)


def _metric(name: str, sample: Floats, n: int, method: str) -> Metric:
    if not np.isfinite(sample[0]):
        return unknown(name, n, method, "only one class occurs, so agreement is undefined")
    return Metric(name, float(sample[0]), *percentile_interval(sample[1:], float(sample[0])), n, method)
