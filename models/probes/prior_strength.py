"""What to believe before the labels: how loose the head is, and what the transfer prior, axes and prompts are worth.

Each candidate prior is fitted and weighed by how well it foretold the labels, Laplace's approximation of the marginal
likelihood (MacKay, Neural Computation 4(5), 1992). So no label is spent on validation, and actively chosen labels do no
harm to a held-out score, as there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from attune.models.probes.logistic import Float64, Problem
from attune.models.vectors.axes import Axes

STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # candidates for C, for vectors of unit variance
WIDTHS = (0.0, 0.4)  # candidates for the transfer prior's variance, all its directions together, beside the vectors'
EVEN = 0.5  # the probability, before any label, that the transfer prior tells nothing, and that the prompts do not
BESIDE = 0.1  # the probability, before any label, that the pool's leading directions are beside the question
# A width, a belief or a strength that is e^-5 as likely as the best beside it is looked at no more.
HOPELESS = 5.0

Start = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]


@dataclass(frozen=True)
class _Belief:
    """One way to see the labels: the width of the transfer prior, whether the axes are narrowed, and the start true."""

    width: float
    narrow: bool
    start: bool
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
        if strength not in self.evidence:
            nearest = min(self.modes, key=lambda known: abs(np.log(known / strength)), default=None)
            self.modes[strength] = self.problem.solve(strength, None if nearest is None else self.modes[nearest])
            self.evidence[strength] = self.problem.log_evidence(self.modes[strength], strength) + self.belief.odds
        return self.evidence[strength]

    def climb(self, strengths: Sequence[float], first: float) -> float:
        """The strength that no neighbour beats, sought from ``first``."""
        here = strengths.index(first)
        for step in (1, -1):
            there = here + step
            while 0 <= there < len(strengths) and self.solve(strengths[there]) > self.solve(strengths[here]):
                here, there = there, there + step
        return strengths[here]

    def widen(self, strengths: Sequence[float], best: float, bar: float) -> None:
        """Solve outwards from the ``best`` strength as long as the evidence stays above ``bar``."""
        middle = strengths.index(best)
        for side in (strengths[middle:], strengths[: middle + 1][::-1]):
            for strength in side:
                if self.solve(strength) < bar:
                    break


class PriorFit(NamedTuple):
    """The mean over the candidate priors by their evidence: heads (k, d) and biases (k,) float64.

    ``narrowed``: the probability, in [0, 1], that the pool's leading directions are beside the question.
    """

    weight: Float64
    bias: Float64
    narrowed: float


def fit_by_evidence(
    features: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    strengths: Sequence[float] = STRENGTHS,
    start: Start | None = None,
    transfer: npt.NDArray[np.floating] | None = None,
    axes: Axes | None = None,
) -> PriorFit:
    """The head that the labels support, over all candidate priors.

    ``features`` (n, d), ``shares`` (n, c) and ``weights`` (n,) as in ``probes.logistic``; ``strengths`` are candidates
    for C > 0, ascending; ``start``: heads (k, d) and biases (k,) that the prior is around, if believed; ``transfer``
    (m, d): directions along which the prior may be wider; ``axes``: those along which it may be narrower.
    Deterministic.
    """
    offsets = features @ start[0].T + start[1] if start is not None else None
    every = list(_every(Problem(features, shares, weights), offsets, transfer, axes))
    best = strengths[len(strengths) // 2]
    tops, highest = [], -np.inf
    for fits in every:
        if fits.solve(best) > highest - 2 * HOPELESS:  # so far below, other strengths hardly ever save it
            best = fits.climb(strengths, best)
        tops.append(best)
        highest = max(highest, fits.evidence[best])
    bar = highest - HOPELESS
    candidates = [(fits, top) for fits, top in zip(every, tops, strict=True) if fits.evidence[top] >= bar]
    for fits, top in candidates:
        fits.widen(strengths, top, bar)
    return _mean([fits for fits, _ in candidates], features.shape[1], start)


def _every(
    plain: Problem,
    offsets: npt.NDArray[np.floating] | None,
    transfer: npt.NDArray[np.floating] | None,
    axes: Axes | None,
) -> Iterator[_Fits]:
    """All combinations of what may be believed, each with its problem."""
    wider = np.log((1 - EVEN) / (len(WIDTHS) - 1))
    widths = [(0.0, 0.0)] if transfer is None else [(width, wider if width else np.log(EVEN)) for width in WIDTHS]
    narrow = [(False, 0.0)] if axes is None else [(False, np.log(1 - BESIDE)), (True, np.log(BESIDE))]
    starts = [(False, 0.0)] if offsets is None else [(True, np.log(EVEN)), (False, np.log(1 - EVEN))]
    for (width, a), (narrowed, b) in product(widths, narrow):
        shape = _shape(plain, transfer if width else None, width, axes if narrowed else None)
        for start, c in starts:
            belief = _Belief(width, narrowed, start, float(a + b + c))
            yield _Fits(belief, shape.around(offsets) if start and offsets is not None else shape)


def _shape(plain: Problem, transfer: npt.NDArray[np.floating] | None, width: float, axes: Axes | None) -> Problem:
    """The problem with a prior that is wider along ``transfer`` and narrower along ``axes``, where given."""
    parts = [] if axes is None else [(axes.directions, axes.widths)]
    if transfer is not None:
        parts.append((transfer.astype(np.float32), np.full(len(transfer), width, dtype=np.float32)))
    if not parts:
        return plain
    directions, widths = (np.concatenate(group) for group in zip(*parts, strict=True))
    return plain.shaped(directions, widths, 1.0 if axes is None else axes.scale)


def _mean(candidates: Sequence[_Fits], dim: int, start: Start | None) -> PriorFit:
    every = iter(softmax([evidence_value for one in candidates for evidence_value in one.evidence.values()]))
    weight: Float64 = np.zeros((candidates[0].problem.k, dim))
    bias: Float64 = np.zeros(candidates[0].problem.k)
    narrowed = 0.0
    for one in candidates:
        part = np.array([next(every) for _ in one.evidence])
        heads, shift = one.problem.heads(np.tensordot(part, np.stack(list(one.modes.values())), axes=1))
        weight, bias = weight + heads, bias + shift
        narrowed += one.belief.narrow * float(part.sum())
        if start is not None and one.belief.start:
            weight, bias = weight + part.sum() * start[0], bias + part.sum() * start[1]
    return PriorFit(weight, bias, min(narrowed, 1.0))
