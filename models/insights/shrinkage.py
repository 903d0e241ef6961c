"""The winner's curse, taken back: of many noisy figures the largest is too large, so all are drawn towards the middle.

Normal empirical Bayes: true values have mean m and variance tau^2, both by maximum likelihood (Efron and Morris 1975).
Of many figures the spread is a mixture of normals (adaptive shrinkage, Stephens 2017): where most images hardly differ
and a few differ a lot, one normal draws the few too near to 0 and the many not near enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.insights.outcomes import Floats

LEAST = 5  # figures that show how much the truth varies; of fewer the usual spread is assumed
USUAL_TAU = 0.1  # a tenth: a strong effect of a feature of artwork in published tests
MANY = 100  # figures from which on the shape of their spread is learned, too
SPREADS, STEPS, EXACT = 2**0.5, 200, 1e-4  # each spread of the mixture is this many times the one before
LEARNED, AT_ONCE = 4_000, 1 << 14  # figures: of more, evenly taken ones tell the mixture, and each is drawn by it


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


def shrink_many(estimate: npt.ArrayLike, se: npt.ArrayLike) -> Shrunk:
    """Shrink ``estimate`` (n,) with errors ``se`` (n,) towards 0 by a mixture of spreads; as ``shrink`` below ``MANY``.

    NaN stays NaN. ``tau`` is the standard deviation of the whole mixture.
    """
    raw, error = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (estimate, se))
    known = np.isfinite(raw) & np.isfinite(error) & (error > 0)
    if known.sum() < MANY:
        return shrink(raw, error)
    rows = np.flatnonzero(known)
    some = rows[:: -(-len(rows) // LEARNED)]
    mixture = _Mixture.of(raw[some], error[some])
    drawn, left = raw.copy(), np.where(np.isnan(raw), np.nan, error)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        drawn[part], left[part] = mixture.posterior(raw[part], error[part])
    return Shrunk(drawn, left, 0.0, float(np.sqrt(mixture.share @ mixture.spread**2)))


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Normals around 0 with the standard deviations ``spread`` (k,), and each one's ``share`` (k,) of the truth."""

    spread: Floats
    share: Floats

    @classmethod
    def of(cls, raw: Floats, error: Floats) -> _Mixture:
        """By maximum likelihood (EM), over a grid from no spread to the largest that these figures (n,) allow."""
        least = float(np.median(error)) / 10
        most = max(2 * float(np.sqrt(max((raw**2 - error**2).max(), 0.0))), 2 * least)
        spread = np.r_[0.0, least * SPREADS ** np.arange(np.ceil(np.log(most / least) / np.log(SPREADS)) + 1)]
        now = cls(spread, np.full(len(spread), 1 / len(spread)))
        likely = now._likelihood(raw, error)
        for _ in range(STEPS):
            share = now.share * (likely / (likely @ now.share)[:, None]).mean(axis=0)
            far = float(np.abs(share - now.share).max())
            now = cls(spread, share)
            if far < EXACT:
                break
        return now

    def _likelihood(self, raw: Floats, error: Floats) -> Floats:
        """Of each figure under each spread, (n, k), the largest of each figure is 1."""
        total = self.spread**2 + error[:, None] ** 2
        logs = -0.5 * (np.log(total) + raw[:, None] ** 2 / total)
        return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))

    def posterior(self, raw: Floats, error: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (n,) of the truth behind each figure."""
        odds = self._likelihood(raw, error) * self.share
        odds /= odds.sum(axis=1, keepdims=True)
        kept = self.spread**2 / (self.spread**2 + error[:, None] ** 2)
        mean = raw * (odds * kept).sum(axis=1)
        square = (odds * ((kept * raw[:, None]) ** 2 + kept * error[:, None] ** 2)).sum(axis=1)
        return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


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
