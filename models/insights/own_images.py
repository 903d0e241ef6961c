"""How often each image of one title was taken beside the title's other images, where both were shown.

The ratio of rates over strata (a canvas, for one country, device, member cluster and period) is Mantel and Haenszel's,
its error Greenland and Robins' (Biometrics 1985): it stays right where strata are many and small. The error is of
counts alone: what else changed in a week is not in it. Intervals hold for all images of the title together
(Bonferroni), since readers look for the best and the worst.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from attune.models.insights.outcomes import Floats, Ints

LEVEL = 0.95
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
    """One for each number of ``asset``, from 0; columns (n,) of the rows of one title."""
    size = (int(stratum.max(initial=-1)) + 1, int(asset.max(initial=-1)) + 1)
    shown, taken = np.zeros(size), np.zeros(size)
    np.add.at(shown, (stratum, asset), impressions)
    np.add.at(taken, (stratum, asset), takes)
    every_shown, every_taken = shown.sum(axis=1, keepdims=True), taken.sum(axis=1, keepdims=True)
    others_shown, others_taken = every_shown - shown, every_taken - taken
    total = np.maximum(every_shown, 1.0)
    mine, theirs = (taken * others_shown / total).sum(axis=0), (others_taken * shown / total).sum(axis=0)
    variance = (every_taken * shown * others_shown / total**2).sum(axis=0)
    beside = (shown > 0) & (others_shown > 0)
    least = np.minimum((taken * beside).sum(axis=0), (others_taken * beside).sum(axis=0))
    told = least >= LEAST_TAKES
    sure = float(ndtri(1 - (1 - LEVEL) / 2 / max(int(told.sum()), 1)))
    ratios = [
        _ratio(mine[one], theirs[one], variance[one], sure) if told[one] else (None, None, None)
        for one in range(size[1])
    ]
    counts = zip(shown.sum(axis=0).tolist(), taken.sum(axis=0).tolist(), ratios, strict=True)
    return [OwnImage(int(impressions), takes, *ratio) for impressions, takes, ratio in counts]


def _ratio(mine: float, theirs: float, variance: float, sure: float) -> tuple[float, float, float]:
    """The ratio and its interval, symmetric in its logarithm."""
    log, half = np.log(mine / theirs), sure * np.sqrt(variance / (mine * theirs))
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))
