"""How likely is a positive at each score? A small Bayesian curve, and how sure the audit makes us of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

# Priors as (mean, standard deviation), per standard deviation of the pool's scores. The last keeps an interval from
# being sure about the low ranks, where almost no one is asked: about 1 in 400 images may be a positive that the probe
# does not see at all, and it may well be 1 in 20.
OFFSET, SLOPE, BEND, UNSEEN = (0.0, 10.0), (0.0, 8.0), (0.0, 1.4), (-6.0, 1.5)
# Beyond this many standard deviations a score says no more: a bend must not turn the far ends around.
FARTHEST = 4.0
TAIL = 5  # degrees of freedom of the proposal: fatter tails than the posterior's, as importance sampling needs
PROPOSALS = 2000
AT_ONCE = 256  # proposals that are weighed at a time: a multiple of 16, as BLAS takes rows


@dataclass(frozen=True, eq=False)
class Scale:
    """What standardises scores: ``centre`` and ``spread`` float64 (v,), of v probes that scored the same pool."""

    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, scores: Floats, counts: Floats) -> Scale:
        """The weighted mean and standard deviation of ``scores`` (N, v)."""
        centre = np.average(scores, axis=0, weights=counts)
        spread = np.sqrt(np.average((scores - centre) ** 2, axis=0, weights=counts))
        return cls(centre, np.where(spread > 0, spread, 1.0))

    def basis(self, scores: Floats) -> Floats:
        """A constant, then a line and a bend for each probe, float64 (n, 1 + 2 v)."""
        z = np.clip((scores - self.centre) / self.spread, -FARTHEST, FARTHEST)
        return np.hstack([np.ones((len(z), 1)), z, (z**2 - 1.0) / 2.0])


@dataclass(frozen=True, eq=False)
class Curve:
    """Draws from the posterior of P(positive | score): ``parameters`` float64 (draws, 2 + 2 v), each one curve."""

    parameters: Floats
    scale: Scale

    def at(self, scores: Floats) -> Floats:
        """The probability of a positive at ``scores`` (m, v) under each draw, float64 (draws, m)."""
        return _probability(self.parameters, self.scale.basis(scores))


@dataclass(frozen=True, eq=False)
class _Posterior:
    basis: Floats
    y: Floats
    power: float
    mean: Floats
    precision: Floats

    def log_density(self, parameters: Floats) -> Floats:
        """Of each of ``parameters`` (m, 2 + 2 v), (m,): of all proposals at once it would hold a matrix of them by the
        answers eight times, 250 MB of 2,000 answers."""
        starts = range(0, len(parameters), AT_ONCE)
        return np.concatenate([self._log_density(parameters[start : start + AT_ONCE]) for start in starts])

    def _log_density(self, parameters: Floats) -> Floats:
        p = _probability(parameters, self.basis)
        likelihood = self.power * (self.y * np.log(p) + (1.0 - self.y) * np.log1p(-p)).sum(axis=1)
        return np.asarray(likelihood - 0.5 * (self.precision * (parameters - self.mean) ** 2).sum(axis=1))

    def slope(self, at: Floats) -> tuple[Floats, Floats]:
        """Gradient and Fisher information of the log density at one point."""
        unseen, observed = expit(at[-1]), expit(self.basis @ at[:-1])
        p = _probability(at[None], self.basis)[0]
        by_line = ((1.0 - unseen) * observed * (1.0 - observed))[:, None] * self.basis
        jacobian = np.hstack([by_line, (unseen * (1.0 - unseen) * (1.0 - observed))[:, None]])
        spread = self.power / (p * (1.0 - p))
        gradient = jacobian.T @ (spread * (self.y - p)) - self.precision * (at - self.mean)
        return gradient, (jacobian * spread[:, None]).T @ jacobian + np.diag(self.precision)

    def peak(self) -> Floats:
        """The mode, by damped scoring."""
        at = self.mean.copy()
        at[0] = np.log((self.y.sum() + 0.5) / (len(self.y) - self.y.sum() + 0.5))
        height = self.log_density(at[None])[0]
        for _ in range(100):
            gradient, information = self.slope(at)
            step = np.linalg.solve(information, gradient)
            reached = self.log_density((at + step)[None])[0]
            while reached < height and np.abs(step).max() > 1e-9:
                step = step / 2.0
                reached = self.log_density((at + step)[None])[0]
            if reached - height < 1e-9:
                break
            at, height = at + step, reached
        return at


def fit_curve(
    scores: Floats, y: Floats, titles: NDArray[np.intp], scale: Scale, generator: np.random.Generator, draws: int
) -> Curve:
    """The posterior curve from audited ``scores`` (n, v), their truth ``y`` (n,) 0 or 1, and their titles (n,) intp.

    The draw's probabilities do not enter: given the scores, whether an asset was drawn says nothing about its truth
    (an ignorable design: Rubin, Biometrika 63, 1976). Answers within a title that err together count for less.
    Laplace's approximation proposes curves, importance resampling corrects it (Rubin's SIR, 1988).
    """
    basis = scale.basis(scores)
    prior = np.array([OFFSET, *[SLOPE] * scores.shape[1], *[BEND] * scores.shape[1], UNSEEN])
    posterior = _Posterior(basis, y, 1.0, prior[:, 0], prior[:, 1] ** -2.0)
    power = _power(y, _probability(posterior.peak()[None], basis)[0], titles)
    posterior = replace(posterior, power=power)
    peak = posterior.peak()
    root = np.linalg.cholesky(np.linalg.inv(posterior.slope(peak)[1]))
    step = generator.standard_normal((PROPOSALS, len(peak)))
    step /= np.sqrt(generator.chisquare(TAIL, size=(PROPOSALS, 1)) / TAIL)
    proposals = peak + step @ root.T
    log_weight = posterior.log_density(proposals)
    log_weight += (TAIL + len(peak)) / 2.0 * np.log1p((step**2).sum(axis=1) / TAIL)
    weight = np.exp(log_weight - log_weight.max())
    return Curve(proposals[generator.choice(PROPOSALS, size=draws, p=weight / weight.sum())], scale)


def _probability(parameters: Floats, basis: Floats) -> Floats:
    unseen = expit(parameters[:, -1:])
    p = unseen + (1.0 - unseen) * expit(parameters[:, :-1] @ basis.T)
    return np.asarray(np.clip(p, 1e-12, 1.0 - 1e-12), dtype=np.float64)


def _power(y: Floats, p: Floats, titles: NDArray[np.intp]) -> float:
    """What one answer counts where a title's answers err together: 1 / (1 + (mean title size - 1) * correlation)."""
    residual = (y - p) / np.sqrt(np.clip(p * (1.0 - p), 1e-4, None))
    size = np.bincount(titles).astype(np.float64)
    pairs = (size * (size - 1.0)).sum() / 2.0
    products = (np.bincount(titles, residual) ** 2 - np.bincount(titles, residual**2)).sum() / 2.0
    # Ten imagined unrelated pairs keep a handful of real ones from deciding.
    correlation = np.clip(products / (pairs + 10.0), 0.0, 1.0)
    typical = (size**2).sum() / size.sum()
    return float(1.0 / (1.0 + (typical - 1.0) * correlation))
