"""What a probe would do on images like the pool's: its figures over many imagined populations, given the audit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.evaluation.metrics import log_odds, ranked_precision
from attune.models.evaluation.score_curve import Curve, Floats, Scale, fit_curve

DRAWS = 400
# Of a larger pool the best of each probe stand for themselves, and a random part of the rest for the rest: average
# precision is made at the top, and nothing here may grow with the pool.
TOP = 1000
REST = 2000


@dataclass(frozen=True, eq=False)
class Population:
    """Imagined populations, float64: the log-odds ``scores`` (m, v) of v probes, and for each draw the chance of a
    positive there, how many assets have those scores and how many of them are positive (each (draws, m))."""

    scores: Floats
    chances: Floats
    counts: Floats
    positives: Floats

    def mirrored(self) -> Population:
        """The same populations seen from the other of two classes."""
        return Population(-self.scores, 1.0 - self.chances, self.counts, self.counts - self.positives)

    def average_precisions(self, probe: int = 0) -> Floats:
        """Average precision of each population, float64 (draws,); NaN where it holds no positive."""
        return ranked_precision(self.positives, self.counts, self.scores[:, probe])

    def precisions(self, threshold: float) -> Floats:
        """Share of positives among what the first probe scores at least ``threshold`` (log-odds), float64 (draws,)."""
        above = self.scores[:, 0] >= threshold
        return _ratio(self.positives[:, above], self.counts[:, above])

    def recalls(self, threshold: float) -> Floats:
        """Share of the positives that the first probe scores at least ``threshold`` (log-odds), float64 (draws,)."""
        return _ratio(self.positives[:, self.scores[:, 0] >= threshold], self.positives)

    def calibration_errors(self, bins: int = 10) -> Floats:
        """Mean distance of the first probe's probability from the curve's, over ``bins`` of equal size, (1 + draws,).

        The first is that of the mean curve: each single curve errs on its own as well, so the rest lie above it.
        """
        order = np.argsort(self.scores[:, 0], kind="stable")
        many = self.counts.mean(axis=0)[order]
        mass = np.cumsum(many)
        bin_of = np.minimum((mass / mass[-1] * bins - 1e-9).astype(np.intp), bins - 1)
        curves = np.concatenate([self.chances.mean(axis=0, keepdims=True), self.chances])[:, order]
        gap = many * (1.0 / (1.0 + np.exp(-self.scores[order, 0])) - curves)
        summed = np.add.reduceat(gap, np.flatnonzero(np.diff(bin_of, prepend=-1)), axis=1)
        return np.asarray(np.abs(summed).sum(axis=1) / mass[-1], dtype=np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part.sum(axis=1) / whole.sum(axis=1), dtype=np.float64)


def posterior_populations(
    audited: Floats,
    y: Floats,
    titles: NDArray[np.intp],
    pool: Floats,
    counts: Floats,
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> Population:
    """Populations like the pool, from what the audit says of the truth at each score.

    ``audited`` (n, v) probabilities and truth ``y`` (n,) of audited assets with their ``titles`` (n,) intp; ``pool``
    (N, v) probabilities of all reserved assets and how many each stands for, ``counts`` (N,). Each draw takes a curve
    from the posterior, as many assets as the pool has, with replacement, and their truths by the curve: its spread
    holds what is unknown of the curve, which images happen to be in a pool, and chance.
    """
    scores, many = _shortened(log_odds(pool), counts, generator)
    scale = Scale.of(scores, many)
    curve = fit_curve(log_odds(audited), y, titles, scale, generator, draws)
    return _populate(curve, scores, many, generator, draws)


def _populate(curve: Curve, scores: Floats, counts: Floats, generator: np.random.Generator, draws: int) -> Population:
    size = max(int(np.rint(counts.sum())), 1)
    drawn = generator.multinomial(size, counts / counts.sum(), size=draws)
    chances = curve.at(scores)
    positives = generator.binomial(drawn, chances)
    return Population(scores, chances, drawn.astype(np.float64), positives.astype(np.float64))


def _shortened(scores: Floats, counts: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """At most about ``TOP`` rows of each probe and ``REST`` others (m, v), and how many each stands for (m,)."""
    if len(scores) <= TOP + REST:
        return scores, counts
    best = [np.argpartition(-column, TOP)[:TOP] for column in scores.T]
    top = np.zeros(len(scores), dtype=np.bool_)
    top[np.concatenate(best)] = True
    rest = np.flatnonzero(~top)
    if len(rest) <= REST:
        return scores, counts
    sampled = generator.choice(rest, size=REST, replace=False)
    scaled = counts[sampled] * (counts[rest].sum() / counts[sampled].sum())
    return np.concatenate([scores[top], scores[sampled]]), np.concatenate([counts[top], scaled])


def as_pool(probabilities: ArrayLike | None, audited: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The pool (N, k) and what each row stands for (N,); without one the audited assets stand for it by weight."""
    if probabilities is None:
        return audited, weight
    pool = np.asarray(probabilities, dtype=np.float64)
    return pool, np.ones(len(pool))
