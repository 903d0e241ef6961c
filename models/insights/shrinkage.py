"""The winner's curse, taken back: of many noisy figures the largest is too large, so all are drawn towards the middle.

Normal empirical Bayes: true values have mean m and variance tau^2, both by maximum likelihood (Efron and Morris 1975).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.insights.outcomes import Floats

LEAST = 5  # figures that show how much the truth varies; of fewer the usual spread is assumed
USUAL_TAU = 0.1  # a tenth: a strong effect of a feature of artwork in published tests


@dataclass(frozen=True, eq=False)
class Shrunk:
    """``estimate`` and ``se`` (n,) after shrinkage towards ``mean``; ``tau``: standard deviation of the truth."""

    estimate: Floats
    se: Floats
    mean: float
    tau: float


def shrink(estimate: npt.ArrayLike, se: npt.ArrayLike, mean: float | None = 0.0) -> Shrunk:
    """Shrink ``estimate`` (n,) with errors ``se`` (n,) towards ``mean``; None: towards their own weighted mean.

    NaN stays NaN. With fewer than ``LEAST`` figures the spread of the truth is taken to be ``USUAL_TAU``.
    """
    raw, error = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (estimate, se))
    known = np.isfinite(raw) & np.isfinite(error)
    tau2 = _tau2(raw[known], error[known] ** 2, mean) if known.sum() >= LEAST else USUAL_TAU**2
    middle = _middle(raw[known], error[known] ** 2, tau2) if mean is None else mean
    total = tau2 + error**2
    share = np.divide(tau2, total, out=np.ones_like(total), where=total > 0)
    return Shrunk(middle + share * (raw - middle), np.sqrt(share) * error, middle, float(np.sqrt(tau2)))


def _middle(raw: Floats, variance: Floats, tau2: float) -> float:
    weight = 1 / np.maximum(variance + tau2, 1e-300)
    return float((weight * raw).sum() / weight.sum()) if len(raw) else 0.0


def _tau2(raw: Floats, variance: Floats, mean: float | None) -> float:
    from scipy.optimize import minimize_scalar  # a third of a second, in each process that shows what was learned

    def loss(log_tau2: float) -> float:
        tau2 = float(np.exp(log_tau2))
        total = variance + tau2
        middle = _middle(raw, variance, tau2) if mean is None else mean
        return float((np.log(total) + (raw - middle) ** 2 / total).sum())

    largest = float(np.log(np.mean(raw**2) + 1e-12)) + 2
    found = minimize_scalar(loss, bounds=(largest - 20, largest), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))
