"""Penalised logistic regression with soft targets, weights and offsets: the one solver behind the probe.

min over v, b of  sum_i s_i CE(softmax(x_i.v + b + o_i), y_i) + |v|^2 / (2 C), the intercept free. With the offset
o = x.w0 it is the penalty |w - w0|^2, a Gaussian prior around w0 (LP++, arXiv 2404.02285; CLAP, 2312.12730).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

Float64 = npt.NDArray[np.float64]


def fit_heads(
    features: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    strength: float,
    offsets: npt.NDArray[np.floating] | None = None,
) -> tuple[Float64, Float64]:
    """Heads (k, d) and biases (k,) float64; one head for two classes (its sign speaks for the first), else k.

    ``features`` (n, d); ``shares`` (n, c) rows sum to 1; ``weights`` (n,) >= 0; ``strength`` C > 0 as in
    scikit-learn; ``offsets`` (n, k) are added to the logits. Deterministic.
    """
    x, back = _compact(np.asarray(features, dtype=np.float64))
    y = np.asarray(shares, dtype=np.float64)
    k = 1 if y.shape[1] == 2 else y.shape[1]
    s = np.asarray(weights, dtype=np.float64)
    o = np.zeros((len(x), k)) if offsets is None else np.asarray(offsets, dtype=np.float64).reshape(len(x), k)
    loss = _sigmoid_loss if k == 1 else _softmax_loss
    r = x.shape[1]

    def objective(flat: Float64) -> tuple[float, Float64]:
        theta = flat.reshape(k, r + 1)
        value, slope = loss(x @ theta[:, :r].T + theta[:, r] + o, y, s)
        # The tiny pull on the intercept keeps it finite while only one class has been seen.
        gradient = np.column_stack([slope.T @ x + theta[:, :r] / strength, slope.sum(axis=0) + 1e-3 * theta[:, r]])
        penalty = (theta[:, :r] ** 2).sum() / (2 * strength) + 5e-4 * (theta[:, r] ** 2).sum()
        return value + penalty, gradient.ravel()

    start = np.zeros(k * (r + 1))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 300, "gtol": 1e-5})
    theta = found.x.reshape(k, r + 1)
    return theta[:, :r] @ back, theta[:, r].copy()


def _compact(features: Float64) -> tuple[Float64, Float64]:
    """(z, back) with features = z @ back and orthonormal rows in ``back``: n columns suffice for n examples."""
    n, d = features.shape
    if n >= d:
        return features, np.eye(d)
    q, r = np.linalg.qr(features.T)
    return r.T, q.T


def _sigmoid_loss(logits: Float64, shares: Float64, weights: Float64) -> tuple[float, Float64]:
    z, y = logits[:, 0], shares[:, 0]
    value = -(weights * (y * log_expit(z) + (1 - y) * log_expit(-z))).sum()
    return float(value), (weights * (expit(z) - y))[:, None]


def _softmax_loss(logits: Float64, shares: Float64, weights: Float64) -> tuple[float, Float64]:
    log_p = logits - logsumexp(logits, axis=1, keepdims=True)
    value = -(weights[:, None] * shares * log_p).sum()
    return float(value), weights[:, None] * (np.exp(log_p) - shares)
