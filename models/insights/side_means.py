"""How often images of one side are taken, beside an average image on the same canvases: a mean over titles, grade D.

Errors are clustered by title, whose images share their luck. It is of one feature alone: other features go with it, and
popular titles have other artwork, so it says what goes together and nothing else.
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
    """The third (n,) of each number, as ``THIRDS``; empty where it is unknown."""
    known = np.isfinite(numbers)
    sides = np.full(len(numbers), "", dtype=object)
    if known.any():
        ends = np.quantile(numbers[known], [1 / 3, 2 / 3])
        sides[known] = np.array(THIRDS, dtype=object)[np.searchsorted(ends, numbers[known], side="left")]
    return sides


def side_means(sides: npt.NDArray[np.object_], log: Floats, weight: Floats, title: Ints) -> list[SideMean]:
    """Each of ``sides`` (n,) but the empty one, for ``log`` (n,) with ``weight`` (n,); the one that is taken most often
    first. Sides on fewer than ``LEAST_TITLES`` titles are left out."""
    found = []
    for side in sorted(set(sides.tolist()) - {""}):
        mine = sides == side
        _, place = np.unique(title[mine], return_inverse=True)
        count = int(place.max()) + 1
        if count < LEAST_TITLES:
            continue
        share = weight[mine] / weight[mine].sum()
        mean = float(share @ log[mine])
        by_title = np.bincount(place, share * (log[mine] - mean))
        half = float(stdtrit(count - 1, (1 + LEVEL) / 2) * np.sqrt((by_title**2).sum() * count / (count - 1)))
        found.append(SideMean(str(side), mean, mean - half, mean + half, count))
    return sorted(found, key=lambda one: (-one.mean, one.side))
