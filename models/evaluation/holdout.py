"""Figures with no model of the scores: on fully labelled titles, by weights, or naively on the training answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.evaluation.intervals import draws_in_parts, percentile_interval, title_draws
from attune.models.evaluation.metrics import Metric, average_precision, average_precisions, too_few, unknown
from attune.models.evaluation.splits import title_folds
from attune.models.labels.labels import Labels

FitPredict = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]]
WEIGHTED = "audit, inverse inclusion probabilities, title bootstrap"


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
    of the first. Macro over ``score``'s columns where there are more than two ``classes``, else of the first class.
    Raises DataError where there is no column for each.
    """
    truth = np.asarray(y, dtype=np.intp)
    scores = np.asarray(score, dtype=np.float64).reshape(len(truth), -1)
    if classes > 2 and scores.shape[1] != classes:
        raise DataError(f"Scores have the shape {scores.shape}. Expected one column for each of {classes} classes.")
    columns = range(scores.shape[1]) if scores.shape[1] > 2 else range(1)
    return _resampled(truth, scores, title_ids, np.ones(len(truth)), columns, seed, (name, method, biased))


def design_based(
    majority: NDArray[np.intp],
    probabilities: NDArray[np.float64],
    title_ids: ArrayLike,
    weight: NDArray[np.float64],
    headline: Sequence[str],
    classes: Sequence[str],
    seed: int,
) -> Metric:
    """Weighted average precision of the headline classes on the audit alone (Hajek), ``weight`` (n,) 1 / inclusion.

    It assumes nothing of the scores, so it checks the figure that does; with few positives it is wide and its interval
    too narrow (docs/explanation/evaluation.md has the figures).
    """
    columns = [list(classes).index(name) for name in headline]
    metric_facts = ("average_precision_weighted", WEIGHTED, False)
    return _resampled(majority, probabilities, title_ids, weight, columns, seed, metric_facts)


def class_share(truth: NDArray[np.bool_], title_ids: ArrayLike, inclusion: NDArray[np.float64], seed: int) -> Metric:
    """The share of the pool's images that are of a class, from audited ones: ``truth`` and ``inclusion`` (n,).

    Hajek's ratio of Horvitz-Thompson sums; the interval resamples titles. Unknown with fewer than ``LEAST`` images of
    the class or of others, and with fewer than two titles, which give no interval.
    """
    y, name = np.asarray(truth, dtype=np.float64), "share"
    positives, titles = int(y.sum()), np.asarray(title_ids, dtype=np.str_).tolist()
    if reason := too_few(y) or ("the images are of one title, at least 2 are needed" if len(set(titles)) < 2 else ""):
        return unknown(name, len(y), WEIGHTED, reason, positives=positives)
    weight = 1.0 / inclusion
    draws = title_draws(titles, np.random.default_rng(seed)) * weight
    with np.errstate(invalid="ignore"):
        sample = draws @ y / draws.sum(axis=1)
    value = float(weight @ y / weight.sum())
    return Metric(name, value, *percentile_interval(sample, value), len(y), WEIGHTED, positives)


def _resampled(
    truth: NDArray[np.intp],
    scores: NDArray[np.float64],
    title_ids: ArrayLike,
    weight: NDArray[np.float64],
    columns: Sequence[int],
    seed: int,
    metric_facts: tuple[str, str, bool],
) -> Metric:
    name, method, biased = metric_facts
    truths = {i: (truth == i).astype(np.float64) for i in columns}
    sampled = _samples({i: y for i, y in truths.items() if not too_few(y)}, scores, title_ids, weight, seed)
    parts = []
    for i, y in truths.items():
        positives = int(y.sum())
        if reason := too_few(y):
            parts.append(unknown(name, len(y), method, reason, positives=positives))
            continue
        value, sample = average_precision(y, scores[:, i], weight), sampled[i]
        parts.append(Metric(name, value, *percentile_interval(sample, value), len(y), method, positives))
    return macro(name, parts, list(sampled.values()), biased)


def _samples(
    truths: Mapping[int, NDArray[np.float64]],
    scores: NDArray[np.float64],
    title_ids: ArrayLike,
    weight: NDArray[np.float64],
    seed: int,
) -> dict[int, NDArray[np.float64]]:
    """By column of ``scores`` its average precision on the same resampled titles, (draws,) each.

    A part of the draws at a time: all of 12,000 answers take 100 MB, and as much again with their weights.
    """
    if not truths:
        return {}
    found: dict[int, list[NDArray[np.float64]]] = {i: [] for i in truths}
    for part in draws_in_parts(np.asarray(title_ids, dtype=np.str_).tolist(), np.random.default_rng(seed)):
        draws = part * weight
        for i, y in truths.items():
            found[i].append(average_precisions(y, scores[:, i], draws))
    return {i: np.concatenate(samples) for i, samples in found.items()}


def macro(name: str, parts: Sequence[Metric], samples: Sequence[NDArray[np.float64]], biased: bool = False) -> Metric:
    """The mean of the classes' figures, with the interval of the mean of their ``samples`` (draws,), at the surest of
    their levels; unknown where one of them is."""
    n, method = parts[0].n, parts[0].method
    missing = [metric for metric in parts if metric.value is None]
    if missing:
        return unknown(name, n, method, missing[0].reason, positives=missing[0].positives, biased=biased)
    value = float(np.mean([metric.value for metric in parts if metric.value is not None]))
    level = max(metric.level for metric in parts)
    lo, hi = percentile_interval(np.mean(samples, axis=0), value, level)
    positives = parts[0].positives if len(parts) == 1 else None
    return Metric(name, value, lo, hi, n, method, positives, level, biased=biased)


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
        class_counts = ", ".join(
            f"{count} {class_name}" for class_name, count in zip(classes, counts.tolist(), strict=True)
        )
        reason = f"the answers per class are {class_counts}; 2 classes need at least {folds} each"
        return unknown(name, len(labels), method, reason, biased=True)
    proba = np.zeros(labels.shares.shape)
    for train, test in title_folds(labels.title_ids, labels.majority(), folds, seed):
        proba[test] = fit_predict(train, test)
    keep = labels.decided()
    titles = np.asarray(labels.title_ids)[keep]
    return holdout_ap(labels.majority()[keep], proba[keep], titles, seed, name=name, method=method, biased=True)
