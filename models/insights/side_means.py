"""How often images of one side are taken, beside an average image of the same canvas and period: a mean, grade D.

An average image is the mean of logs over all images: a stratum's rate is an arithmetic mean, and beside it the log of
an average image is below 0 where titles differ. Errors are of the difference, clustered by title, whose images share
their luck. Intervals hold for all sides of a feature together (Bonferroni), since the largest is the one that is told.
It is of one feature alone: other features go with it, and popular titles have other artwork, so it says what goes
together and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from attune.models.insights.outcomes import Floats, Ints

LEVEL, LEAST_TITLES = 0.95, 30
THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class SideMean:
    """The log of takes over those of an average image, of images of ``side``, with its interval."""

    side: str
    mean: float
    low: float
    high: float
    titles: int


def thirds(numbers: Floats) -> npt.NDArray[np.object_]:
    """The third (n,) of each number, as ``THIRDS``; empty where it is unknown. Equal numbers are in one third, and the
    largest is never called middling; all are empty where most hold the largest."""
    known = np.isfinite(numbers)
    sides = np.full(len(numbers), "", dtype=object)
    if not known.any():
        return sides
    seen = numbers[known]
    ends, most = np.quantile(seen, [1 / 3, 2 / 3]), seen.max()
    if ends[0] == most:  # two thirds or more are equal, and nothing lies above them
        return sides
    place = np.where((seen == most) & (ends[1] == most), 2, np.searchsorted(ends, seen, side="left"))
    sides[known] = np.array(THIRDS, dtype=object)[place]
    return sides


def average(log: Floats, weight: Floats) -> float:
    """The log of an average image: the mean of ``log`` (n,) with ``weight`` (n,)."""
    return float(np.average(log, weights=weight))


def side_means(sides: npt.NDArray[np.object_], log: Floats, weight: Floats, title: Ints) -> list[SideMean]:
    """Each of ``sides`` (n,) but the empty one, for ``log`` (n,) with ``weight`` (n,); the one that is taken most often
    first. Sides on fewer than ``LEAST_TITLES`` titles are left out."""
    counts = {side: len(np.unique(title[sides == side])) for side in set(sides.tolist()) - {""}}
    told = [side for side, count in sorted(counts.items()) if count >= LEAST_TITLES]
    if not told:
        return []
    _, place = np.unique(title, return_inverse=True)
    beside = log - average(log, weight)
    of_all = weight / weight.sum() * beside
    missed = (1 - LEVEL) / len(told)
    found = []
    for side in told:
        share = np.where(sides == side, weight, 0.0)
        share /= share.sum()
        mean, count = float(share @ beside), counts[side]
        by_title = np.bincount(place, share * (beside - mean) - of_all)
        half = float(stdtrit(count - 1, 1 - missed / 2) * np.sqrt((by_title**2).sum() * count / (count - 1)))
        found.append(SideMean(str(side), mean, mean - half, mean + half, count))
    return sorted(found, key=lambda one: (-one.mean, one.side))
