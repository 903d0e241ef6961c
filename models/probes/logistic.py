"""Penalised logistic regression with soft targets, weights and offsets: the one solver behind the probe.

min over v, b of  sum_i s_i CE(softmax(x_i.v + b + o_i), y_i) + |v|^2 / (2 C), the intercept free. With the offset
o = x.w0 it is the penalty |w - w0|^2, a Gaussian prior around w0 (LP++, arXiv 2404.02285; CLAP, 2312.12730).
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp, softmax

Float64 = npt.NDArray[np.float64]

INTERCEPT_VARIANCE = 1000.0  # finite, so that one class alone has a finite intercept


class Problem:
    """One fit's data in as few columns as it has rows; theta is (k, r + 1), the last column the intercepts.

    ``features`` (n, d); ``shares`` (n, c), rows sum to 1; ``weights`` (n,) >= 0. k = 1 for two classes, whose head's
    sign speaks for the first, else c. A strength is C > 0 as in scikit-learn. Deterministic.
    """

    def __init__(
        self,
        features: npt.NDArray[np.floating],
        shares: npt.NDArray[np.floating],
        weights: npt.NDArray[np.floating],
    ) -> None:
        compact, self.back = _compact(features)
        self.shape: _Shape | None = None
        self.y = np.asarray(shares, dtype=np.float64)
        self.s = np.asarray(weights, dtype=np.float64)
        self.k = 1 if self.y.shape[1] == 2 else self.y.shape[1]
        n = len(compact)
        self.o: Float64 = np.zeros((n, self.k))
        self.loss = _sigmoid_loss if self.k == 1 else _softmax_loss
        self.ones: Float64 = np.column_stack([compact, np.ones(n)])
        self.x = self.ones[:, :-1]  # no second copy: 12,000 labels of 512 numbers take 49 MB

    def around(self, offsets: npt.NDArray[np.floating]) -> Problem:
        """The same problem with ``offsets`` (n, k) added to the logits."""
        other = copy(self)
        other.o = np.asarray(offsets, dtype=np.float64)
        return other

    def shaped(self, directions: npt.NDArray[np.floating], widths: npt.NDArray[np.floating], scale: float) -> Problem:
        """The same problem with the prior's covariance C scale (I + D'WD) for ``directions`` D (m, d).

        ``widths`` (m,) is the diagonal of W: above 0 the prior is wider along a direction; below 0, down to -1 for an
        orthonormal one, narrower.
        """
        other = copy(self)
        directions_64 = directions.astype(np.float64)
        projected = self.back @ directions_64.T
        covariance = scale * (np.eye(len(projected)) + (projected * widths) @ projected.T)
        root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        other.shape = _Shape(root, scale, projected, widths[:, None] * directions_64)
        other.ones = np.ones((len(self.x), self.x.shape[1] + 1))
        other.x = np.matmul(self.x, root, out=other.ones[:, :-1])
        return other

    def precision(self, strength: float) -> Float64:
        """The prior's precision of each column of theta (r + 1,)."""
        return np.append(np.full(self.x.shape[1], 1 / strength), 1 / INTERCEPT_VARIANCE)

    def solve(self, strength: float, start: Float64 | None) -> Float64:
        """The most probable theta."""
        prior, shape = self.precision(strength), (self.k, self.ones.shape[1])

        def objective(flat: Float64) -> tuple[float, Float64]:
            theta = flat.reshape(shape)
            value, slope = self.loss(self.ones @ theta.T + self.o, self.y, self.s)
            return value + float((prior * theta**2).sum()) / 2, (slope.T @ self.ones + prior * theta).ravel()

        first = np.zeros(shape) if start is None else start
        options = {"maxiter": 300, "gtol": 1e-5}
        result = minimize(objective, first.ravel(), jac=True, method="L-BFGS-B", options=options)
        return np.asarray(result.x, dtype=np.float64).reshape(shape)

    def log_evidence(self, theta: Float64, strength: float) -> float:
        """Laplace's log marginal likelihood at the mode; for three or more classes head by head."""
        prior, logits = self.precision(strength), self.ones @ theta.T + self.o
        value, _ = self.loss(logits, self.y, self.s)
        p = expit(logits) if self.k == 1 else softmax(logits, axis=1)
        total = -value - float((prior * theta**2).sum()) / 2
        for q in (self.s[:, None] * p * (1 - p)).T:
            hessian = (self.ones.T * q) @ self.ones + np.diag(prior)
            total -= 0.5 * (float(np.linalg.slogdet(hessian)[1]) - float(np.log(prior).sum()))
        return total

    def heads(self, theta: Float64) -> tuple[Float64, Float64]:
        """Theta in the features' own columns: heads (k, d) and biases (k,)."""
        columns, bias = theta[:, :-1], theta[:, -1].copy()
        if self.shape is None:
            return columns @ self.back, bias
        # What the labelled rows do not span is as they foretell it: the directions continue beyond them.
        plain = self.shape.scale * solve_triangular(self.shape.root, columns.T, lower=True, trans="T").T
        weight: Float64 = plain @ self.back + plain @ self.shape.seen @ self.shape.directions
        return weight, bias


class _Shape(NamedTuple):
    """A prior that is wider or narrower along some directions: the ``root`` (r, r) of its covariance in the compact
    columns, its ``scale``, what the columns have ``seen`` of the directions (r, m), and the ``directions`` (m, d) times
    their widths.
    """

    root: Float64
    scale: float
    seen: Float64
    directions: Float64


def _compact(features: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], Float64]:
    """(z, back) with features = z @ back and orthonormal rows in ``back``: n columns suffice for n examples."""
    n, d = features.shape
    if n >= d:
        return features, np.eye(d)
    q, r = np.linalg.qr(features.T.astype(np.float64))
    return r.T, q.T


def _sigmoid_loss(logits: Float64, shares: Float64, weights: Float64) -> tuple[float, Float64]:
    z, y = logits[:, 0], shares[:, 0]
    value = -(weights * (y * log_expit(z) + (1 - y) * log_expit(-z))).sum()
    return float(value), (weights * (expit(z) - y))[:, None]


def _softmax_loss(logits: Float64, shares: Float64, weights: Float64) -> tuple[float, Float64]:
    log_p = logits - logsumexp(logits, axis=1, keepdims=True)
    value = -(weights[:, None] * shares * log_p).sum()
    return float(value), weights[:, None] * (np.exp(log_p) - shares)
