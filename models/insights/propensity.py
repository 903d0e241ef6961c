"""Rows of a program that chose the images and noted each one's chance: weighted as if all had been shown alike.

Inverse propensity weights (Horvitz and Thompson 1952; Hirano, Imbens and Ridder 2003): an image that was shown with the
chance p counts as if it had the mean chance of its cell. Weights are clipped (Ionides 2008), and where clipping touches
much, the images do not overlap enough for the weights to be believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.insights.outcomes import Bools, Floats, Ints, Outcomes, outcomes

CLIP = 20.0  # the largest weight: an image that was shown a twentieth as often as its share
MOST_CLIPPED = 0.01  # of the weighted takes that clipping may take away
LEAST_EFFECTIVE = 0.1  # of the takes: below, a few rare showings decide


@dataclass(frozen=True)
class Overlap:
    """``rows`` that have a propensity, of which ``clipped`` were; ``lost``: the share of the weighted takes that went
    with it. ``effective``: the takes that count as much, as a share of all (Kish 1965)."""

    rows: int
    clipped: int
    lost: float
    effective: float

    @property
    def enough(self) -> bool:
        """Whether the weights may be believed."""
        return self.rows > 0 and self.lost <= MOST_CLIPPED and self.effective >= LEAST_EFFECTIVE


def weighted(
    asset: Ints, title: Ints, stratum: Ints, impressions: Floats, takes: Floats, propensity: Floats
) -> tuple[Outcomes, Overlap]:
    """Outcomes of rows (n,) by the inverse of their ``propensity``; those of cells (a title's stratum) that have one in
    every row.

    All impressions of a row must have had its propensity: divided by the mean of several, a program that treats viewers
    differently goes uncorrected, and no check can see it. Impressions and takes are scaled to the number that would
    tell as much without weights.
    """
    rows = Outcomes(asset, title, stratum, impressions, takes)
    weights = Weights.of([(rows, propensity)])
    return weights.rows(rows, propensity), weights.overlap


@dataclass(frozen=True)
class Weights:
    """Weights of rows in parts of whole titles. ``scale``: of weighted counts, so that they tell as much as others."""

    scale: float
    overlap: Overlap

    @classmethod
    def of(cls, parts: Iterable[tuple[Outcomes, Floats]]) -> Weights:
        """From all rows, each part with its propensities (n,)."""
        rows, clipped, total, squares, whole, taken = 0, 0, 0.0, 0.0, 0.0, 0.0
        for part, propensity in parts:
            kept, raw = _raw(part, propensity)
            weight, takes = np.minimum(raw, CLIP), part.takes[kept]
            rows, clipped = rows + len(raw), clipped + int((raw > CLIP).sum())
            total, squares = total + float((weight * takes).sum()), squares + float((weight**2 * takes).sum())
            whole, taken = whole + float((raw * takes).sum()), taken + float(takes.sum())
        scale = total / squares if squares else 1.0
        lost, effective = 1 - total / whole if whole else 0.0, total * scale / taken if total else 0.0
        return cls(scale, Overlap(rows, clipped, lost, effective))

    def rows(self, part: Outcomes, propensity: Floats) -> Outcomes:
        """The rows of a part that have weights, weighted."""
        kept, raw = _raw(part, propensity)
        weight = np.minimum(raw, CLIP)
        counts = (part.impressions[kept] * weight * self.scale, part.takes[kept] * weight * self.scale)
        return outcomes(part.asset[kept], part.title[kept], part.canvas[kept], *counts)


def _raw(part: Outcomes, propensity: Floats) -> tuple[Bools, Floats]:
    """Which rows (n,) are of cells where each has a propensity, and the weights of those."""
    cell = _cells(part.title, part.canvas)
    chance = np.bincount(cell, propensity)  # NaN where a row has none
    kept = np.isfinite(chance)[cell]
    return kept, np.asarray((chance / np.bincount(cell))[cell][kept] / propensity[kept])


def _cells(title: Ints, stratum: Ints) -> npt.NDArray[np.intp]:
    strata = int(stratum.max()) + 1 if len(stratum) else 1
    place: npt.NDArray[np.intp] = np.unique(title.astype(np.int64) * strata + stratum, return_inverse=True)[1].reshape(
        -1
    )
    return place
