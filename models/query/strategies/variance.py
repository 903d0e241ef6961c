"""The strategy that the learner uses by default: what would make the rest of the pool's predictions surest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import sger

from attune.models.query.strategies.base import Picked, Rows, checked
from attune.models.vectors.axes import Axes

PRIOR_VARIANCE = 1.0  # of a weight of the head, before any label: that of a probe of strength C = 1
LEAST_DOUBT = 1e-3  # p (1 - p) below which a row would count as known for certain
LEAST_DOUBT_SEEN = 0.02  # a labelled row always says something about its neighbours


@dataclass(frozen=True, eq=False)
class Space:
    """What of a pool's vectors is left out of the kernel: their ``centre`` (d,) and ``variance``, which all share, and
    the ``axes`` of what varies most among them, as far as the estimator's ``narrowed_`` says."""

    centre: npt.NDArray[Any] | None = None
    variance: float = 1.0
    axes: Axes | None = None


@checked
def variance_reduction(
    estimator: Any,
    X: Rows,
    n_instances: int,
    _: Any,
    seen: Rows | None = None,
    reference: Rows | None = None,
    space: Space | None = None,
    **_kw: Any,
) -> Picked:
    """Greedily the candidate whose label is expected to cut the predictions' variance most over ``reference`` (r, d).

    Transductive design for a logistic head (Yu, Bi and Tresp, ICML 2006; BAIT, arXiv 2106.09675), in the kernel form of
    the Laplace posterior given the labelled rows ``seen`` (l, d): a gain of
    sum_j q_j k(x, j)^2 q_x / (1 + q_x k(x, x)) with q = p (1 - p). One number that weighs doubt, being typical and
    being new; after each pick the posterior is updated as if its label had come, so a batch does not repeat itself.
    ``reference`` (default: the candidates) says where the predictions matter; ``space`` is that of the pool. No
    randomness. Costs (candidates + reference) x (candidates + d or seen, whichever are fewer) x d, and seen x d x d.
    """
    rows = np.concatenate([X, X if reference is None else reference]).astype(np.float32)
    labelled = X[:0] if seen is None else np.asarray(seen, dtype=np.float32)
    doubt, doubt_seen = _doubt(estimator, rows, LEAST_DOUBT), _doubt(estimator, labelled, LEAST_DOUBT_SEEN)
    space = space or Space()
    shift = np.zeros(X.shape[1], dtype=np.float32) if space.centre is None else space.centre
    scale = np.float32(1 / np.sqrt(space.variance))
    rows, labelled = scale * (rows - shift), scale * (labelled - shift)
    belief = getattr(estimator, "narrowed_", 0.0)
    if space.axes is not None and belief:
        rows, labelled = space.axes.narrowed(rows, belief), space.axes.narrowed(labelled, belief)
    covariance = _posterior(rows, len(X), labelled, doubt_seen)
    return _greedy(covariance, doubt[: len(X)], doubt[len(X) :], n_instances)


def _doubt(estimator: Any, rows: npt.NDArray[Any], least: float) -> npt.NDArray[np.float32]:
    """sum_c p_c (1 - p_c) / 2 of each row (n,): p (1 - p) for two classes."""
    if not len(rows):
        return np.empty(0, dtype=np.float32)
    p = np.asarray(estimator.predict_proba(rows), dtype=np.float32)
    doubt: npt.NDArray[np.float32] = np.maximum((p * (1 - p)).sum(axis=1) / 2, least).astype(np.float32)
    return doubt


def _posterior(
    rows: npt.NDArray[np.float32], candidates: int, labelled: npt.NDArray[np.float32], doubt: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The posterior covariance of the logits, candidates by all rows (m, m + r) float32.

    By the kernel of the labels, or where there are more labels than dimensions by the weights, which is the same
    (Woodbury's identity): time and memory then grow with the labels, not with their cube and square.
    """
    if len(labelled) > rows.shape[1]:
        precision = np.eye(rows.shape[1]) + PRIOR_VARIANCE * ((labelled.T * doubt) @ labelled)
        weights = np.linalg.solve(precision, rows.T.astype(np.float64))
        return np.ascontiguousarray(PRIOR_VARIANCE * (rows[:candidates] @ weights), dtype=np.float32)
    prior = rows[:candidates] @ rows.T
    if len(labelled):
        to_seen = rows @ labelled.T
        noise = labelled @ labelled.T + np.diag(1 / (PRIOR_VARIANCE * doubt))
        prior -= to_seen[:candidates] @ np.linalg.solve(noise, to_seen.T)
    return np.ascontiguousarray(PRIOR_VARIANCE * prior, dtype=np.float32)


def _greedy(
    covariance: npt.NDArray[np.float32],
    doubt: npt.NDArray[np.float32],
    importance: npt.NDArray[np.float32],
    n_instances: int,
) -> Picked:
    m = len(doubt)
    indices, gains = np.empty(n_instances, dtype=np.intp), np.empty(n_instances)
    free = np.ones(m, dtype=bool)
    squares = np.empty((m, len(importance)), dtype=np.float32)
    for step in range(n_instances):
        variance = np.maximum(covariance[np.arange(m), np.arange(m)], 0)
        np.square(covariance[:, m:], out=squares)
        gain = (squares @ importance) * doubt / (1 + doubt * variance)
        pick = int(np.where(free, gain, -np.inf).argmax())
        indices[step], gains[step], free[pick] = pick, gain[pick], False
        if step + 1 < n_instances:
            shrink = doubt[pick] / (1 + doubt[pick] * variance[pick])
            # A pick conditions every row on its label; BLAS does it in place where numpy would copy the matrix twice.
            sger(-shrink, covariance[pick].copy(), covariance[:, pick].copy(), a=covariance.T, overwrite_a=1)
    return indices, gains
