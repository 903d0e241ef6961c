"""Honest figures of a probe: measured on the audit, with an interval, or not given at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import DataError
from models.intervals import percentile_interval, title_draws
from models.labels import Labels
from models.metrics import Metric, average_precision, average_precisions, unknown
from models.splits import title_folds

__all__ = ["Metric", "average_precision", "compare", "cross_validated", "evaluate_audit", "holdout_ap"]

# Fewer positives (or negatives) than this and an interval would be a guess about a guess.
LEAST = 3

FitPredict = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]]


def headline(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that the headline average precision is over: all of them, or the first of two."""
    return tuple(classes[:1]) if len(classes) == 2 else tuple(classes)


def evaluate_audit(
    labels: Labels,
    probabilities: ArrayLike,
    inclusion: ArrayLike,
    classes: Sequence[str],
    *,
    pool: ArrayLike | None = None,
    thresholds: Mapping[str, float] | None = None,
    seed: int = 0,
) -> dict[str, Metric]:
    """Every figure of a probe that the audit answers support.

    ``labels`` of n audited assets, ``probabilities`` (n, k) of the probe, ``inclusion`` (n,) as
    ``AuditDesign.inclusions`` gives it now, ``pool`` (N, k) the probe's probabilities of all reserved assets, drawn or
    not (narrows the intervals), ``thresholds`` a probability per class (0.5). Keys: ``average_precision`` (of the first
    of two classes, else the macro mean), ``average_precision:CLASS``, ``precision:CLASS``, ``recall:CLASS``,
    ``calibration_error``. Raises DataError on shapes that do not fit or an asset that was never drawn.
    """
    proba, weight = _checked(labels, probabilities, inclusion, classes)
    keep = labels.decided()
    labels, proba, weight = labels.subset(keep), proba[keep], weight[keep]
    generator = np.random.default_rng(seed)
    draws = title_draws(labels.title_ids, generator) * weight
    named: dict[str, Metric] = {}
    samples = []
    for i, name in enumerate(classes):
        y = (labels.majority() == i).astype(np.float64)
        metric, sample = _weighted_ap(f"average_precision:{name}", y, proba[:, i], weight, draws)
        named[metric.name] = metric
        if name in headline(classes):
            samples.append((metric, sample))
    named["average_precision"] = _macro("average_precision", samples, len(labels))
    return named


def _checked(
    labels: Labels, probabilities: ArrayLike, inclusion: ArrayLike, classes: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    proba, pi = np.asarray(probabilities, dtype=np.float64), np.asarray(inclusion, dtype=np.float64)
    expected = (len(labels), len(classes))
    if proba.shape != expected or pi.shape != expected[:1] or labels.shares.shape[1] != len(classes):
        raise DataError(
            f"{len(labels)} labels of {labels.shares.shape[1]} classes came with probabilities of shape {proba.shape}, "
            f"inclusion of shape {pi.shape} and the classes {list(classes)}; expected {expected} and {expected[:1]}."
        )
    if not ((pi > 0) & (pi <= 1)).all():
        row = int(np.flatnonzero(~((pi > 0) & (pi <= 1)))[0])
        raise DataError(
            f"Asset {labels.asset_ids[row]!r} has the inclusion probability {pi[row]}; expected a number in (0, 1]. "
            "Only assets that AuditDesign.extend drew can be evaluated: leave out answers given for another purpose."
        )
    return proba, 1.0 / pi


def _weighted_ap(
    name: str,
    y: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64],
    draws: NDArray[np.float64],
    *,
    method: str = "title bootstrap",
) -> tuple[Metric, NDArray[np.float64]]:
    positives = int((y > 0.5).sum())
    if positives < LEAST or len(y) - positives < LEAST:
        reason = f"{positives} positive and {len(y) - positives} negative answers, at least {LEAST} of each are needed"
        return unknown(name, len(y), method, reason, positives=positives), np.full(len(draws), np.nan)
    value = average_precision(y, score, weight)
    sample = average_precisions(y, score, draws)
    lo, hi = percentile_interval(sample, value)
    return Metric(name, value, lo, hi, len(y), method, positives), sample


def _macro(name: str, parts: list[tuple[Metric, NDArray[np.float64]]], n: int, biased: bool = False) -> Metric:
    method = parts[0][0].method
    missing = [metric for metric, _ in parts if metric.value is None]
    if missing:
        return unknown(name, n, method, missing[0].reason, positives=missing[0].positives, biased=biased)
    value = float(np.mean([metric.value for metric, _ in parts]))
    lo, hi = percentile_interval(np.mean([sample for _, sample in parts], axis=0), value)
    positives = parts[0][0].positives if len(parts) == 1 else None
    return Metric(name, value, lo, hi, n, method, positives, biased=biased)


def compare(
    labels: Labels,
    proba_a: ArrayLike,
    proba_b: ArrayLike,
    inclusion: ArrayLike,
    classes: Sequence[str],
    *,
    seed: int = 0,
) -> Metric:
    """The headline average precision of a minus that of b, paired on the same audit answers.

    Arguments as in ``evaluate_audit``. Both probes meet the same resampled titles, so what is hard for both cancels.
    """
    first, weight = _checked(labels, proba_a, inclusion, classes)
    second, _ = _checked(labels, proba_b, inclusion, classes)
    keep = labels.decided()
    labels, first, second, weight = labels.subset(keep), first[keep], second[keep], weight[keep]
    draws = title_draws(labels.title_ids, np.random.default_rng(seed)) * weight
    differences, values, positives = [], [], []
    for name in headline(classes):
        i = list(classes).index(name)
        y = (labels.majority() == i).astype(np.float64)
        one, sample_one = _weighted_ap(name, y, first[:, i], weight, draws)
        two, sample_two = _weighted_ap(name, y, second[:, i], weight, draws)
        if one.value is None or two.value is None:
            return unknown("average_precision_difference", len(labels), "paired title bootstrap", one.reason)
        differences.append(sample_one - sample_two)
        values.append(one.value - two.value)
        positives.append(one.positives)
    value = float(np.mean(values))
    lo, hi = percentile_interval(np.mean(differences, axis=0), value)
    return Metric(
        "average_precision_difference", value, lo, hi, len(labels), "paired title bootstrap",
        positives[0] if len(positives) == 1 else None,
    )  # fmt: skip


def cross_validated(
    labels: Labels, fit_predict: FitPredict, classes: Sequence[str], *, folds: int = 5, seed: int = 0
) -> Metric:
    """The naive figure: average precision over the training answers, cross-validated by title; ``biased`` is set.

    ``fit_predict(train, test)`` fits on the rows ``train`` of ``labels`` and returns probabilities (len(test), k).
    The answers were chosen by the probe, mostly where it was unsure, so this says how well the probe does on its own
    hard questions: an early sign of progress between rounds of one attribute, never a measure of the pool.
    """
    name, method = "cross_validated_average_precision", f"{folds}-fold by title on chosen answers"
    counts = labels.counts()
    if len(counts[counts >= folds]) < 2 or len(set(labels.title_ids)) < 2 * folds:
        reason = f"{counts.tolist()} answers by class, at least {folds} of two classes are needed"
        return unknown(name, len(labels), method, reason, biased=True)
    proba = np.zeros(labels.shares.shape)
    for train, test in title_folds(labels.title_ids, labels.majority(), folds, seed):
        proba[test] = fit_predict(train, test)
    keep = labels.decided()
    return holdout_ap(
        labels.majority()[keep], proba[keep], np.asarray(labels.title_ids)[keep], seed,
        name=name, method=method, biased=True, classes=len(classes),
    )  # fmt: skip


def holdout_ap(
    y: ArrayLike,
    score: ArrayLike,
    title_ids: ArrayLike,
    seed: int = 0,
    *,
    classes: int = 2,
    name: str = "average_precision",
    method: str = "title bootstrap on held-out titles",
    biased: bool = False,
) -> Metric:
    """Average precision on fully labelled held-out titles with an interval that resamples titles.

    ``y`` intp (n,) the class of each asset (0 = the first, positive one), ``score`` (n, k) or, for two classes, (n,)
    of the first. Macro over ``score``'s columns where there are more than two, else of the first class.
    """
    truth, scores = np.asarray(y, dtype=np.intp), np.asarray(score, dtype=np.float64)
    scores = scores.reshape(len(truth), -1)
    columns = range(scores.shape[1]) if max(scores.shape[1], classes) > 2 else range(1)
    draws = title_draws(np.asarray(title_ids, dtype=np.str_).tolist(), np.random.default_rng(seed))
    ones = np.ones(len(truth))
    parts = [
        _weighted_ap(name, (truth == i).astype(np.float64), scores[:, i], ones, draws, method=method) for i in columns
    ]
    return _macro(name, parts, len(truth), biased)
