"""Penalised logistic regression with soft targets, weights and offsets: the one solver behind the probe.

min over v, b of  sum_i s_i CE(softmax(x_i.v + b + o_i), y_i) + |v|^2 / (2 C), the intercept free. With the offset
o = x.w0 it is the penalty |w - w0|^2, a Gaussian prior around w0 (LP++, arXiv 2404.02285; CLAP, 2312.12730).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp, softmax

Float64 = npt.NDArray[np.float64]


STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # candidates for C, for vectors of unit variance
BESIDE = (0.0, 0.1, 0.4, 1.6)  # candidates for how much wider the prior is along directions that others proved
ALONE = 0.5  # the probability, before any label, that those directions tell nothing
INTERCEPT_VARIANCE = 1000.0  # finite, so that one class alone has a finite intercept


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
    problem = _Problem(features, shares, weights, offsets)
    return problem.heads(problem.solve(strength, None))


def fit_by_evidence(
    features: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    strengths: Sequence[float] = STRENGTHS,
    offsets: npt.NDArray[np.floating] | None = None,
    beside: npt.NDArray[np.floating] | None = None,
) -> tuple[Float64, Float64]:
    """``fit_heads`` averaged over ``strengths``, each by its evidence: how well that prior foretold the labels.

    ``beside`` (n, m) are further features whose prior variance is one of ``BESIDE`` times the others', by the evidence
    too, from even odds that they are worth nothing; with them the heads are (k, d + m). The evidence is Laplace's
    approximation of the marginal likelihood (MacKay, Neural Computation 4(5), 1992), so no label is spent on validation
    and actively chosen labels do no harm to a held-out score, as there is none.
    """
    if beside is None:
        beside = np.empty((len(features), 0))
    variances = BESIDE if beside.shape[1] else (0.0,)
    problems: list[_Problem] = []
    found: list[Float64] = []
    evidence: list[float] = []
    for variance in variances:
        wide = np.concatenate([features, np.sqrt(variance) * beside], axis=1) if variance else features
        odds = np.log((1 - ALONE) / (len(BESIDE) - 1) if variance else ALONE)
        problem, theta = _Problem(wide, shares, weights, offsets), None
        thetas: list[Float64] = []
        for strength in strengths:
            theta = problem.solve(strength, theta)
            thetas.append(theta)
            evidence.append(problem.log_evidence(theta, strength) + odds)
        problems.append(problem)
        found.append(np.stack(thetas))
    mix = softmax(np.asarray(evidence).reshape(len(variances), -1))
    d, k = features.shape[1], problems[0].k
    weight, bias = np.zeros((k, d + beside.shape[1])), np.zeros(k)
    for variance, problem, modes, part in zip(variances, problems, found, mix, strict=True):
        heads, shift = problem.heads(np.tensordot(part, modes, axes=1))
        weight[:, :d] += heads[:, :d]
        weight[:, d:] += np.sqrt(variance) * heads[:, d:] if variance else 0.0
        bias += shift
    return weight, bias


class _Problem:
    """One fit's data in as few columns as it has rows; theta is (k, r + 1), the last column the intercepts."""

    def __init__(
        self,
        features: npt.NDArray[np.floating],
        shares: npt.NDArray[np.floating],
        weights: npt.NDArray[np.floating],
        offsets: npt.NDArray[np.floating] | None,
    ) -> None:
        self.x, self.back = _compact(np.asarray(features, dtype=np.float64))
        self.y = np.asarray(shares, dtype=np.float64)
        self.s = np.asarray(weights, dtype=np.float64)
        self.k = 1 if self.y.shape[1] == 2 else self.y.shape[1]
        n = len(self.x)
        self.o = np.zeros((n, self.k)) if offsets is None else np.asarray(offsets, dtype=np.float64).reshape(n, self.k)
        self.loss = _sigmoid_loss if self.k == 1 else _softmax_loss
        self.ones = np.column_stack([self.x, np.ones(n)])

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
        found = minimize(objective, first.ravel(), jac=True, method="L-BFGS-B", options=options)
        return np.asarray(found.x, dtype=np.float64).reshape(shape)

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
        weight: Float64 = theta[:, :-1] @ self.back
        return weight, theta[:, -1].copy()


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
