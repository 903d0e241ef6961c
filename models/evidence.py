"""What to believe before the labels: how loose the head is, how much a lens and the phrases are worth, by the evidence.

Each candidate prior is fitted and weighed by how well it foretold the labels, Laplace's approximation of the marginal
likelihood (MacKay, Neural Computation 4(5), 1992). So no label is spent on validation, and actively chosen labels do no
harm to a held-out score, as there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from models.logistic import Float64, Problem

STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # candidates for C, for vectors of unit variance
WIDTHS = (0.0, 0.4)  # candidates for a lens's prior variance, all its directions together, beside the vectors'
EVEN = 0.5  # the probability, before any label, that the lens tells nothing, and that the phrases do not
# A width, a belief or a strength that is e^-5 as likely as the best beside it is looked at no more.
HOPELESS = 5.0

Start = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]


@dataclass(frozen=True)
class _Belief:
    """One way to see the labels: how wide the lens is, and how much of the start is taken for true."""

    width: float
    start: float
    odds: float  # the log of its probability before any label


@dataclass(frozen=True, eq=False)
class _Fits:
    """A belief's problem with what was solved of it: log evidence and heads by strength."""

    belief: _Belief
    problem: Problem
    evidence: dict[float, float] = field(default_factory=dict)
    modes: dict[float, Float64] = field(default_factory=dict)

    def solve(self, strength: float) -> float:
        """The log evidence of ``strength``, solved from the nearest one that is there."""
        nearest = min(self.modes, key=lambda known: abs(np.log(known / strength)), default=None)
        self.modes[strength] = self.problem.solve(strength, None if nearest is None else self.modes[nearest])
        found = self.problem.log_evidence(self.modes[strength], strength) + self.belief.odds
        self.evidence[strength] = found
        return found


def fit_by_evidence(
    features: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    strengths: Sequence[float] = STRENGTHS,
    start: Start | None = None,
    lens: npt.NDArray[np.floating] | None = None,
) -> tuple[Float64, Float64]:
    """Heads (k, d) and biases (k,) float64, the mean over the candidate priors by their evidence.

    ``features`` (n, d), ``shares`` (n, c) and ``weights`` (n,) as in ``models.logistic``; ``strengths`` are candidates
    for C > 0; ``start``: heads (k, d) and biases (k,) that the prior is around, if it is believed; ``lens`` (m, d):
    directions along which the prior may be wider. Deterministic.
    """
    every = _every(features, shares, weights, start, lens)
    first = every[0]
    for strength in strengths:
        first.solve(strength)
    best = max(first.evidence, key=first.evidence.__getitem__)
    for other in every[1:]:
        other.solve(best)
    bar = max(one.evidence[best] for one in every) - HOPELESS
    kept = [one for one in every if one is first or one.evidence[best] >= bar]
    likely = [strength for strength in strengths if first.evidence[strength] >= first.evidence[best] - HOPELESS]
    for other in kept[1:]:
        for strength in likely:
            if strength != best:
                other.solve(strength)
    return _mean(kept, features.shape[1], start)


def _beliefs(start: Start | None, lens: npt.NDArray[np.floating] | None) -> list[_Belief]:
    """All combinations, with the start and without the lens first."""
    wide = [(width, np.log((1 - EVEN) / (len(WIDTHS) - 1) if width else EVEN)) for width in WIDTHS]
    widths = [(0.0, 0.0)] if lens is None else wide
    starts = [(0.0, 0.0)] if start is None else [(1.0, np.log(EVEN)), (0.0, np.log(1 - EVEN))]
    return [_Belief(width, taken, float(a + b)) for taken, b in starts for width, a in widths]


def _every(
    features: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    start: Start | None,
    lens: npt.NDArray[np.floating] | None,
) -> list[_Fits]:
    plain = Problem(features, shares, weights)
    offsets = features @ start[0].T + start[1] if start is not None else None
    problems = {0.0: plain} if lens is None else {w: plain.widened(lens, w) if w else plain for w in WIDTHS}
    found = []
    for belief in _beliefs(start, lens):
        problem = problems[belief.width]
        found.append(_Fits(belief, problem.around(offsets) if belief.start and offsets is not None else problem))
    return found


def _mean(kept: Sequence[_Fits], dim: int, start: Start | None) -> tuple[Float64, Float64]:
    every = iter(softmax([found for one in kept for found in one.evidence.values()]))
    weight: Float64 = np.zeros((kept[0].problem.k, dim))
    bias: Float64 = np.zeros(kept[0].problem.k)
    for one in kept:
        part = np.array([next(every) for _ in one.evidence])
        heads, shift = one.problem.heads(np.tensordot(part, np.stack(list(one.modes.values())), axes=1))
        weight, bias = weight + heads, bias + shift
        if start is not None and one.belief.start:
            weight, bias = weight + part.sum() * start[0], bias + part.sum() * start[1]
    return weight, bias
