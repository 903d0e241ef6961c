"""Which traits are more, or less, frequent in a group of images than in the rest of the pool.

A trait is a class of an expert's attribute, or a value of an asset table's column. It must come from people or from
the outside: a probe's scores and the groups come from the same vectors, so a test of them finds what was built in
(Gao, Bien and Witten, JASA 2022). `lift_only` shows those without a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.evaluation.intervals import share_interval

FEWEST_TITLES = 8  # with a known value, in the group and in the rest: below that no test is made
PAIRS = 20  # of images of one title, before their likeness is measured
FALSE_SHARE = 0.10  # of the differences that are shown as such, in the long run

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trait:
    """``holds`` (n,) bool: which images have the trait; ``weights`` (n,): 0 where that is not known, else 1, or for an
    audit answer 1 / its probability of being drawn."""

    name: str
    holds: NDArray[np.bool_]
    weights: Floats


@dataclass(frozen=True)
class Description:
    """One trait in one group. ``share`` with ``lo`` and ``hi`` (95 %) in the group, ``rest`` in all other images;
    ``lift`` is their ratio, infinite where the rest has none.

    ``p`` and ``q`` (false discovery rate over all groups and traits) are None where no test was made: ``n`` images of
    ``titles`` titles have a known value there.
    """

    group: int
    trait: str
    share: float
    lo: float
    hi: float
    rest: float
    n: int
    titles: int
    p: float | None = None
    q: float | None = None

    @property
    def lift(self) -> float:
        """How many times as frequent as in the rest."""
        if self.rest > 0:
            return self.share / self.rest
        return float("inf") if self.share > 0 else 1.0

    @property
    def differs(self) -> bool:
        """Whether the tests found a difference. On average at most one in ten of all those found is false.

        That holds for all groups and traits together. Of a part, such as what one page shows, it may be more or fewer.
        """
        return self.q is not None and self.q <= FALSE_SHARE


def describe(groups: ArrayLike, titles: Sequence[str], traits: Iterable[Trait]) -> list[Description]:
    """Every group beside the rest of the pool, for every trait; ``groups`` (n,) int, below 0 for an image of none.

    The test is the likelihood ratio of two shares. Both count as many images as they are worth: those of one title are
    alike (design effect; Kish 1965; Donald and Donner, Statistics in Medicine 6, 1987), and weights differ. A test by
    the normal curve was tried first and told two false differences where one was promised, as traits are rare and
    groups small. One false discovery rate covers all tests (Benjamini and Hochberg, JRSS B 57, 1995). Their proof wants
    tests that are independent or rise together, and groups of one run do neither:
    `benchmarks.cluster_descriptions` measures that the promise holds.

    Raises DataError where a length differs.
    """
    from scipy.stats import false_discovery_control  # takes a second to load

    labels = np.asarray(groups, dtype=np.int64)
    _, title = np.unique(np.asarray(titles, dtype=np.str_), return_inverse=True)
    if len(title) != len(labels):
        raise DataError(f"{len(labels)} images have a group and {len(title)} have a title. Expected as many.")
    found = [one for trait in traits for one in _of_trait(labels, title.reshape(-1), trait)]
    tested = [place for place, one in enumerate(found) if one.p is not None]
    if tested:
        rates = false_discovery_control([found[place].p for place in tested])
        for place, rate in zip(tested, rates, strict=True):
            found[place] = replace(found[place], q=float(rate))
    return found


def lift_only(groups: ArrayLike, name: str, holds: ArrayLike) -> list[Description]:
    """The same without a test, for what a probe says: ``holds`` (n,) bool or probabilities. No interval either: the
    probe's errors are not known here, so ``lo`` and ``hi`` are the share."""
    labels, value = np.asarray(groups, dtype=np.int64), np.asarray(holds, dtype=np.float64)
    told = []
    for group in _groups(labels):
        inside = labels == group
        share = float(value[inside].mean())
        rest = float(value[~inside].mean()) if not inside.all() else share
        told.append(Description(group, name, share, share, share, rest, int(inside.sum()), 0))
    return told


def most_telling(described: Iterable[Description], group: int) -> list[Description]:
    """What is more frequent in ``group``, surest first: by the lower end of the share over the share in the rest.

    The lower end, so that three images of a rare value do not stand before a hundred of a frequent one.
    """
    more = [one for one in described if one.group == group and one.differs and one.share > one.rest]
    return sorted(more, key=lambda one: (-one.lo / max(one.rest, 1e-6), one.q or 0.0, one.trait))


def most_missing(described: Iterable[Description], group: int) -> list[Description]:
    """What is rarer in ``group``, surest first: by the upper end of the share over the share in the rest."""
    less = [one for one in described if one.group == group and one.differs and one.share < one.rest]
    return sorted(less, key=lambda one: (one.hi / one.rest, one.q or 0.0, one.trait))


def _groups(labels: NDArray[np.int64]) -> list[int]:
    return [int(one) for one in np.unique(labels) if one >= 0]


def _of_trait(labels: NDArray[np.int64], title: NDArray[np.intp], trait: Trait) -> list[Description]:
    if not len(trait.holds) == len(trait.weights) == len(labels):
        raise DataError(f"{trait.name}: {len(trait.holds)} values for {len(labels)} images. Expected one for each.")
    known = trait.weights > 0
    sample = _Sample(labels[known], title[known], trait.weights[known], trait.holds[known].astype(np.float64))
    return [_compared(sample, group, trait.name) for group in _groups(sample.labels)]


@dataclass(frozen=True, eq=False)
class _Sample:
    """The images with a known value: group, title, weight and value of each (n,)."""

    labels: NDArray[np.int64]
    title: NDArray[np.intp]
    weights: Floats
    value: Floats

    @cached_property
    def likeness(self) -> float:
        """The intraclass correlation of one title's images, 0 to 1; of those in one group where it is higher there,
        as a title's artworks in one group are often the same picture."""
        by_title = _intraclass(self.value, self.title)
        _, both = np.unique(np.stack([self.title, self.labels]), axis=1, return_inverse=True)
        return max(by_title, _intraclass(self.value, both.reshape(-1)))

    def share(self, among: NDArray[np.bool_]) -> tuple[float, float]:
        """The weighted share of those ``among``, and how many independent images it is worth."""
        weights = self.weights * among
        total = float(weights.sum())
        if total == 0:
            return 0.0, 0.0
        alone = float((weights**2).sum())
        together = float((np.bincount(self.title, weights) ** 2).sum())
        worth = total**2 / ((1 - self.likeness) * alone + self.likeness * together)
        return float(weights @ self.value) / total, worth


def _compared(sample: _Sample, group: int, trait: str) -> Description:
    inside = sample.labels == group
    share, worth = sample.share(inside)
    rest, worth_of_rest = sample.share(~inside) if not inside.all() else (share, 0.0)
    lo, hi = share_interval(share * worth, worth)
    titles, others = (len(np.unique(sample.title[one])) for one in (inside, ~inside))
    told = Description(group, trait, share, lo, hi, rest, int(inside.sum()), titles)
    if min(titles, others) < FEWEST_TITLES or not 0.0 < sample.value.mean() < 1.0:
        return told
    return replace(told, p=_likelihood_ratio((share, worth), (rest, worth_of_rest)))


def _intraclass(value: Floats, title: NDArray[np.intp]) -> float:
    """How alike the values within a title are, by analysis of variance (Donald and Donner 1987), 0 to 1.

    0 where fewer than ``PAIRS`` pairs could tell.
    """
    sizes, sums = np.bincount(title), np.bincount(title, value)
    sums, sizes = sums[sizes > 0], sizes[sizes > 0]
    n, kinds = len(value), len(sizes)
    if (sizes * (sizes - 1)).sum() / 2 < PAIRS or kinds < 2:
        return 0.0
    mean = value.mean()
    between = float((sizes * (sums / sizes - mean) ** 2).sum() / (kinds - 1))
    within = float((sums - sums**2 / sizes).sum() / (n - kinds))
    usual = (n - float((sizes**2).sum()) / n) / (kinds - 1)
    whole = between + (usual - 1) * within
    return min(1.0, max(0.0, (between - within) / whole)) if whole > 0 else 0.0


def _likelihood_ratio(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Two-sided p of two (share, images it is worth) under one common share."""
    from scipy.stats import chi2

    common = (one[0] * one[1] + other[0] * other[1]) / (one[1] + other[1])
    ratio = 2 * sum(worth * _divergence(share, common) for share, worth in (one, other))
    return float(chi2.sf(max(0.0, ratio), 1))


def _divergence(share: float, other: float) -> float:
    """Kullback and Leibler's, of two coins, in nats."""
    parts = ((share, other), (1 - share, 1 - other))
    return sum(a * float(np.log(a / b)) for a, b in parts if a > 0)
