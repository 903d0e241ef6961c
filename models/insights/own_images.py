"""How often each image of one title was taken beside the title's other images, where both were shown.

The ratio of rates over strata (a canvas, for one country, device, member cluster and period) is Mantel and Haenszel's,
its error Greenland and Robins' (Biometrics 1985): it stays right where strata are many and small. The error is of
counts alone: what else changed in a week is not in it. Intervals hold for all images of the title together
(Bonferroni), since readers look for the best and the worst.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from attune.models.insights.outcomes import Floats, Ints

LEVEL = 0.95
CELLS = 1 << 18  # of strata by images at a time
LEAST_TAKES = 30  # of the image, and of the others beside it: below, counts are no normal errors


@dataclass(frozen=True)
class OwnImage:
    """``impressions`` and ``takes`` of an image. ``ratio``: how many times as often it was taken as the title's other
    images, within ``low`` and ``high``; None where there are too few takes to say."""

    impressions: int
    takes: float
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


def own_images(asset: Ints, stratum: Ints, impressions: Floats, takes: Floats) -> list[OwnImage]:
    """One for each number of ``asset``, from 0; columns (n,) of the rows of one title.

    A part of the strata at a time: a cell for each of 200,000 strata and 20 images would be there a dozen times.
    """
    strata, images = int(stratum.max(initial=-1)) + 1, int(asset.max(initial=-1)) + 1
    order = np.argsort(stratum, kind="stable")
    firsts = np.arange(0, strata, max(1, CELLS // max(images, 1)))
    cuts = np.searchsorted(stratum[order], [*firsts, strata])
    sums = np.zeros((len(_Sums._fields), images))
    for first, (start, stop) in zip(firsts.tolist(), pairwise(cuts.tolist()), strict=True):
        rows = order[start:stop]
        size = (int(stratum[rows[-1]]) - first + 1, images) if len(rows) else (0, images)
        shown, taken = np.zeros(size), np.zeros(size)
        np.add.at(shown, (stratum[rows] - first, asset[rows]), impressions[rows])
        np.add.at(taken, (stratum[rows] - first, asset[rows]), takes[rows])
        # Stratum by stratum, as of all at once: the same to the last bit.
        before = sums[:, None][:, : min(first, 1)]
        sums = np.stack([np.concatenate(pair).sum(axis=0) for pair in zip(before, _terms(shown, taken), strict=True)])
    found = _Sums(*sums)
    told = np.minimum(found.beside, found.others_beside) >= LEAST_TAKES
    sure = float(ndtri(1 - (1 - LEVEL) / 2 / max(int(told.sum()), 1)))
    ratios = [
        _ratio(found.mine[one], found.theirs[one], found.variance[one], sure) if told[one] else (None, None, None)
        for one in range(images)
    ]
    counts = zip(found.shown.tolist(), found.taken.tolist(), ratios, strict=True)
    return [OwnImage(int(impressions), takes, *ratio) for impressions, takes, ratio in counts]


class _Sums(NamedTuple):
    """Of each image, or of each stratum and image: what the ratio is made of."""

    shown: Floats
    taken: Floats
    mine: Floats
    theirs: Floats
    variance: Floats
    beside: Floats  # takes where others were shown beside it
    others_beside: Floats


def _terms(shown: Floats, taken: Floats) -> _Sums:
    """What each stratum adds, of ``shown`` and ``taken`` (strata, images)."""
    every_shown, every_taken = shown.sum(axis=1, keepdims=True), taken.sum(axis=1, keepdims=True)
    others_shown, others_taken = every_shown - shown, every_taken - taken
    total = np.maximum(every_shown, 1.0)
    mine, theirs = taken * others_shown / total, others_taken * shown / total
    variance = every_taken * shown * others_shown / total**2
    beside = (shown > 0) & (others_shown > 0)
    return _Sums(shown, taken, mine, theirs, variance, taken * beside, others_taken * beside)


def _ratio(mine: float, theirs: float, variance: float, sure: float) -> tuple[float, float, float]:
    """The ratio and its interval, symmetric in its logarithm."""
    log, half = np.log(mine / theirs), sure * np.sqrt(variance / (mine * theirs))
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))
