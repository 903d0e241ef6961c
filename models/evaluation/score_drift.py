"""Whether new assets look, to a probe, like those that it was published on.

The pool's scores at publication are kept as a ``Sketch``; later assets' scores are compared with it by the population
stability index (PSI) and the two-sample Kolmogorov-Smirnov statistic (KS). Both are distances between distributions,
not judgements of quality: a drift says that the audit's figures may no longer speak for the new assets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attune.models.errors import DataError
from attune.models.evaluation.intervals import percentile_interval, title_draws

Floats = NDArray[np.float64]
BINS = 10
POINTS = 1001  # of the sketch: a KS statistic from it is right to 0.001
DRAWS = 200
MOST = 20_000  # new assets that a comparison looks at, drawn evenly where there are more


@dataclass(frozen=True)
class Rule:
    """When a look is an alarm.

    Fewer than ``least_assets`` new assets, or of fewer than ``least_titles`` titles, are no evidence at all. ``psi`` is
    the customary bound for a shift that matters (Siddiqi, Credit Risk Scorecards, 2006), taken above what chance
    alone gives; ``alpha`` is the chance of any false alarm over all looks and classes of one version together.
    ``growth``: the new assets must have grown by so much for another look.
    """

    least_assets: int = 100
    least_titles: int = 30
    psi: float = 0.2
    alpha: float = 0.01
    growth: float = 1.25

    def level(self, look: int, classes: int) -> float:
        """The p-value that look number ``look`` (from 1) must fall below, for each of ``classes`` classes.

        The levels 6 / (pi k)^2 of all looks add up to 1, so by Boole's inequality no number of looks can exceed
        ``alpha``, however often a beat comes by.
        """
        return self.alpha * 6.0 / (np.pi * look) ** 2 / max(1, classes)

    def next_look(self, assets: int) -> int:
        """How many new assets the look after one at ``assets`` waits for (0: none was taken yet)."""
        return max(self.least_assets, int(np.ceil(assets * self.growth)))


RULE = Rule()


@dataclass(frozen=True)
class Sketch:
    """The distribution of one class's logits: ``POINTS`` quantiles, of ``n`` assets of ``titles`` titles."""

    n: int
    titles: int
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, logits: Floats, title_ids: Sequence[str]) -> Sketch:
        """The sketch of logits (n,). Raises DataError where there are none or one is not finite."""
        if not len(logits) or not np.isfinite(logits).all():
            raise DataError(f"{len(logits)} logits cannot be summarised. Expected at least 1, and only finite numbers.")
        points = np.quantile(logits, np.linspace(0.0, 1.0, POINTS))
        return cls(len(logits), len(set(title_ids)), tuple(np.round(points, 5).tolist()))

    def below(self, x: Floats) -> Floats:
        """The share of the sketched logits that lie at or below each of ``x``, float64 as ``x``."""
        held = np.asarray(self.quantiles)
        share = np.interp(x, held, np.linspace(0.0, 1.0, len(held)), left=0.0, right=1.0)
        return np.asarray(share, dtype=np.float64)

    def edges(self, bins: int = BINS) -> Floats:
        """Inner edges (bins - 1,) of bins that hold equal shares."""
        inner = np.linspace(0, len(self.quantiles) - 1, bins + 1).astype(int)[1:-1]
        return np.asarray(np.asarray(self.quantiles)[inner], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"quantiles": list(self.quantiles)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sketch:
        """What ``to_dict`` wrote."""
        return cls(int(data["n"]), int(data["titles"]), tuple(float(x) for x in data["quantiles"]))


@dataclass(frozen=True)
class Shift:
    """How far one class's scores have moved.

    ``psi`` over deciles of the sketch, with its interval and ``psi_by_chance``, what equal distributions give on
    average; ``ks`` in [0, 1] with its interval; ``p_value`` of the KS statistic at as many observations as the
    titles are worth; ``n`` new assets of ``titles`` titles. Intervals are 95 %, by resampling titles.
    """

    name: str
    psi: float
    psi_lo: float
    psi_hi: float
    psi_by_chance: float
    ks: float
    ks_lo: float
    ks_hi: float
    p_value: float
    n: int
    titles: int

    def alarming(self, rule: Rule, level: float) -> bool:
        """Whether the shift is both large and no chance, by ``rule`` at the p-value ``level``."""
        return self.psi - self.psi_by_chance > rule.psi and self.p_value < level

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def has_enough_assets(n: int, titles: int, rule: Rule = RULE) -> bool:
    """Whether so many new assets of so many titles are evidence either way."""
    return n >= rule.least_assets and titles >= rule.least_titles


def compare(
    name: str,
    sketch: Sketch,
    logits: Floats,
    title_ids: Sequence[str],
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> Shift:
    """The shift of the class ``name``: its logits (n,) of new assets, with their titles (n,), against the sketch.

    A title's images look alike, so they are not n independent observations: intervals resample whole titles, and the
    p-value counts as many equal titles as these are worth (Kish: one of 1,000 stills among 39 of 5 makes 1.4 of them),
    which errs on the side of silence. Raises DataError for no logits.
    """
    from scipy.stats import kstwobign  # takes a second to load, and who reads a sketch needs none of it

    if not len(logits) or len(logits) != len(title_ids):
        raise DataError(
            f"{len(logits)} logits have {len(title_ids)} titles. Expected one title per logit, and at least one logit."
        )
    if len(logits) > MOST:
        subsample = np.sort(generator.choice(len(logits), MOST, replace=False))
        logits, title_ids = logits[subsample], [title_ids[i] for i in subsample]
    order = np.argsort(logits, kind="stable")
    x, names = np.asarray(logits, dtype=np.float64)[order], [title_ids[i] for i in order]
    titles = len(set(names))
    resampled = title_draws(names, generator, draws)
    bins = np.searchsorted(sketch.edges(), x, side="left")
    uniform_weights = np.ones((1, len(x)))
    (value,), resampled_values = psi(bins, uniform_weights), psi(bins, resampled)
    expected = sketch.below(x)
    (distance,), spread = ks(expected, uniform_weights), ks(expected, resampled)
    psi_lo, psi_hi = percentile_interval(resampled_values, value)
    ks_lo, ks_hi = percentile_interval(spread, distance)
    worth = len(names) ** 2 / float((np.unique(names, return_counts=True)[1].astype(np.float64) ** 2).sum())
    observations = worth * sketch.titles / (worth + sketch.titles)
    return Shift(
        name, float(value), psi_lo, psi_hi, (BINS - 1) * (1 / worth + 1 / sketch.titles), float(distance), ks_lo,
        ks_hi, float(kstwobign.sf(np.sqrt(observations) * distance)), len(x), titles,
    )  # fmt: skip


def psi(bins: NDArray[np.intp], weights: Floats) -> Floats:
    """The population stability index of each weighting, float64 (draws,): sum of (p - q) ln(p / q) over ``BINS`` bins.

    ``bins`` (n,) says which bin of equal shares each new asset falls into, ``weights`` (draws, n) how often each
    counts. Half an asset is added to every bin, so that an empty one gives a large number and not infinity.
    """
    q = 1.0 / BINS
    share = np.stack([weights[:, bins == i].sum(axis=1) for i in range(BINS)], axis=1) + 0.5
    share /= share.sum(axis=1, keepdims=True)
    return np.asarray(((share - q) * np.log(share / q)).sum(axis=1), dtype=np.float64)


def ks(expected: Floats, weights: Floats) -> Floats:
    """The largest gap between two distribution functions for each weighting, float64 (draws,).

    ``expected`` (n,) is the sketch's distribution function at the new assets in ascending order.
    """
    total = np.cumsum(weights, axis=1)
    total /= total[:, -1:]
    before = np.concatenate([np.zeros((len(total), 1)), total[:, :-1]], axis=1)
    return np.asarray(np.maximum(np.abs(total - expected), np.abs(before - expected)).max(axis=1), dtype=np.float64)


def histogram(sketch: Sketch, logits: Floats, bins: int = 24) -> dict[str, list[float]]:
    """Shares to draw: ``edges`` (bins + 1,) over both ranges, ``before`` (bins,) of the sketch, ``after`` (bins,)."""
    low = min(sketch.quantiles[0], float(np.quantile(logits, 0.002)))
    high = max(sketch.quantiles[-1], float(np.quantile(logits, 0.998)))
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1, dtype=np.float64)
    inner = np.concatenate([[0.0], sketch.below(edges[1:-1]), [1.0]])
    count = np.histogram(np.clip(logits, edges[0], edges[-1]), edges)[0]
    return {
        "edges": np.round(edges, 4).tolist(),
        "before": np.round(np.diff(inner), 6).tolist(),
        "after": np.round(count / max(1, count.sum()), 6).tolist(),
    }
