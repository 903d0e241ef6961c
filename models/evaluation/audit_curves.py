"""The audit as two curves with their bands: precision against recall, and what a probability turned out to mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from attune.models.evaluation.population import Population

Floats = NDArray[np.float64]
RECALLS = np.round(np.arange(0.05, 1.0001, 0.05), 2)
BINS = 10
_ENDS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Band:
    """A curve ``value`` over ``at`` with its 95 % band from ``lo`` to ``hi``, each float64 (m,)."""

    at: Floats
    value: Floats
    lo: Floats
    hi: Floats


def precision_recall(world: Population, recalls: Floats = RECALLS) -> Band:
    """The precision at which each of ``recalls`` (m,) is reached, over the imagined populations of one class.

    Precision comes from the curve's chances, not from imagined truths, which are all or nothing at the first ranks.
    """
    order = np.argsort(-world.scores[:, 0], kind="stable")
    many = world.counts.mean(axis=0)[order]
    positives_above = np.cumsum(world.chances[:, order] * many, axis=1)
    total_above = np.cumsum(many)
    precision = positives_above / np.maximum(total_above, 1e-12)
    reached = positives_above / np.maximum(positives_above[:, -1:], 1e-12)
    sample = np.stack([np.interp(recalls, reached[i], precision[i]) for i in range(len(positives_above))])
    return _band(recalls, sample)


def reliability(world: Population, bins: int = BINS) -> Band:
    """The share of positives (``value``) where the first probe says ``at`` on average, in ``bins`` of equal size.

    A probe whose probabilities mean what they say lies on the diagonal. Fewer bins where many scores are equal.
    """
    order = np.argsort(world.scores[:, 0], kind="stable")
    many = world.counts.mean(axis=0)[order]
    mass = np.cumsum(many)
    bin_of = np.minimum((mass / mass[-1] * bins - 1e-9).astype(np.intp), bins - 1)
    starts = np.flatnonzero(np.diff(bin_of, prepend=-1))
    size = np.add.reduceat(many, starts)
    predicted = np.add.reduceat(many * expit(world.scores[order, 0]), starts) / size
    sample = np.add.reduceat(many * world.chances[:, order], starts, axis=1) / size
    return _band(predicted, sample)


def _band(at: Floats, sample: Floats) -> Band:
    lo, hi = np.quantile(sample, _ENDS, axis=0)
    value = sample.mean(axis=0)
    return Band(np.asarray(at, dtype=np.float64), value, np.minimum(lo, value), np.maximum(hi, value))
