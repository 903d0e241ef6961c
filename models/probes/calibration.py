"""Probabilities that mean what they say: a slope and offset on the probe's logits, learned from audit answers alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, logsumexp

from attune.models.errors import DataError
from attune.models.evaluation.splits import title_folds
from attune.models.labels.labels import Labels
from attune.models.threads import one_thread

# log(slope) and the offsets are drawn to 0 as by one look from afar: a dozen answers cannot turn a probe on its head.
SLOPE_SD = 1.5
OFFSET_SD = 5.0
# From here on even answers of one class alone bring a rare class's probabilities nearer the truth than the raw ones,
# which come from classes weighted alike.
LEAST_ANSWERS = 10


def identity(rows: int) -> NDArray[np.float32]:
    """Calibration rows that change nothing, float32 (rows, 2)."""
    return np.tile(np.array([1.0, 0.0], dtype=np.float32), (rows, 1))


def calibrate(logits: ArrayLike, labels: Labels, inclusion: ArrayLike | None = None) -> NDArray[np.float32]:
    """Slope and offset per row of the probe file, float32 (k, 2), k = 1 for two classes.

    ``logits`` (n, k) or, for two classes, (n,) or (n, 1) of the audited assets of ``labels``, before any calibration;
    ``inclusion`` (n,) weighs them by 1 / inclusion (None: alike). Platt's sigmoid with his (n + 1) / (n + 2) targets
    for two classes (1999, with the corrections of Lin, Lin and Weng 2007); one slope and an offset per class under the
    softmax for more (Guo et al. 2017). The slope is always above 0, so a ranking never turns around. ``identity``
    below ``LEAST_ANSWERS`` decided answers. Raises DataError on shapes that do not fit.
    """
    from scipy.optimize import minimize  # a third of a second, in each process that only applies what was learned

    z, rows = _logits(logits, labels)
    keep = labels.decided()
    truth = labels.majority()[keep]
    classes = labels.shares.shape[1]
    if len(truth) < LEAST_ANSWERS:
        return identity(rows)
    weight = np.ones(len(truth)) if inclusion is None else 1.0 / np.asarray(inclusion, dtype=np.float64)[keep]
    # Uneven weights hold less information than their number says (Kish): the priors must know.
    weight = weight * weight.sum() / (weight**2).sum()
    target = _targets(truth, classes, weight)
    full = np.stack([z[keep, 0], np.zeros(keep.sum())], axis=1) if rows == 1 else z[keep]
    with one_thread():
        result = minimize(_loss, np.zeros(1 + rows), args=(full, target, weight), jac=True, method="L-BFGS-B")
    slope = np.full(rows, np.exp(np.clip(result.x[0], -6.0, 6.0)))
    return np.stack([slope, result.x[1:]], axis=1).astype(np.float32)


def apply(calibration: NDArray[np.float32], logits: ArrayLike) -> NDArray[np.float64]:
    """Probabilities (n, classes) of ``logits`` (n,) or (n, k) after calibration rows (k, 2); k = 1 for two classes."""
    z = np.asarray(logits, dtype=np.float64)
    z = z.reshape(len(z), len(calibration)) * calibration[:, 0].astype(np.float64) + calibration[:, 1]
    full = np.hstack([z, np.zeros((len(z), 1))]) if z.shape[1] == 1 else z
    return np.asarray(np.exp(log_softmax(full, axis=1)), dtype=np.float64)


def cross_calibrated(
    logits: ArrayLike, labels: Labels, inclusion: ArrayLike | None = None, *, folds: int = 5, seed: int = 0
) -> NDArray[np.float64]:
    """Probabilities (n, classes) of the audited assets, each calibrated on the answers of other titles only.

    What ``calibrate`` learned from an answer must not be judged by it: evaluate with these. Uncalibrated where the
    answers are too few to split.
    """
    z, rows = _logits(logits, labels)
    pi = np.ones(len(labels)) if inclusion is None else np.asarray(inclusion, dtype=np.float64)
    probabilities = apply(identity(rows), z)
    # StratifiedGroupKFold spreads what classes there are; a fold may well have none of a rare one.
    if len(set(labels.title_ids)) < 2 * folds:
        return probabilities
    for train, test in title_folds(labels.title_ids, labels.majority(), folds, seed):
        probabilities[test] = apply(calibrate(z[train], labels.subset(train), pi[train]), z[test])
    return probabilities


def _logits(logits: ArrayLike, labels: Labels) -> tuple[NDArray[np.float64], int]:
    classes = labels.shares.shape[1]
    rows = 1 if classes == 2 else classes
    z = np.asarray(logits, dtype=np.float64)
    if z.size != len(labels) * rows:
        raise DataError(
            f"{len(labels)} labels of {classes} classes have logits of shape {z.shape}. Expected "
            f"({len(labels)}, {rows}), the probe's output before calibration."
        )
    return z.reshape(len(labels), rows), rows


def _targets(truth: NDArray[np.intp], classes: int, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    count = np.bincount(truth, weight, minlength=classes)
    sure = (count[truth] + 1.0) / (count[truth] + classes)
    target = np.repeat(((1.0 - sure) / (classes - 1))[:, None], classes, axis=1)
    target[np.arange(len(truth)), truth] = sure
    return target


def _loss(
    at: NDArray[np.float64], z: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    slope, offset = np.exp(np.clip(at[0], -6.0, 6.0)), at[1:]
    full = z * slope
    full[:, : len(offset)] += offset
    log_p = full - logsumexp(full, axis=1, keepdims=True)
    value = -(weight[:, None] * target * log_p).sum() + 0.5 * (
        (at[0] / SLOPE_SD) ** 2 + (offset**2).sum() / OFFSET_SD**2
    )
    pull = weight[:, None] * (np.exp(log_p) - target)
    by_slope = (pull * z).sum() * slope + at[0] / SLOPE_SD**2
    by_offset = pull.sum(axis=0)[: len(offset)] + offset / OFFSET_SD**2
    return float(value), np.concatenate([[by_slope], by_offset])
