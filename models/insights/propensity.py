"""Rows of a program that chose the images and noted each one's chance: weighted as if all had been shown alike.

Inverse propensity weights (Horvitz and Thompson 1952; Hirano, Imbens and Ridder 2003): an image that was shown with the
chance p counts as if it had the mean chance of its cell. Weights are clipped (Ionides 2008), and where clipping touches
much, the images do not overlap enough for the weights to be believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.insights.outcomes import Floats, Ints, Outcomes, outcomes

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
    cell = _cells(title, stratum)
    chance = np.bincount(cell, propensity)  # NaN where a row has none
    rows = np.bincount(cell)
    kept = np.isfinite(chance)[cell]
    raw = (chance / rows)[cell][kept] / propensity[kept]
    weight = np.minimum(raw, CLIP)
    taken, shown = takes[kept], impressions[kept]
    total, squares = float((weight * taken).sum()), float((weight**2 * taken).sum())
    scale = total / squares if squares else 1.0
    whole = float((raw * taken).sum())
    overlap = Overlap(
        int(kept.sum()), int((raw > CLIP).sum()), 1 - total / whole if whole else 0.0,
        total * scale / float(taken.sum()) if total else 0.0,
    )  # fmt: skip
    counts = (shown * weight * scale, taken * weight * scale)
    return outcomes(asset[kept], title[kept], stratum[kept], *counts), overlap


def _cells(title: Ints, stratum: Ints) -> npt.NDArray[np.intp]:
    strata = int(stratum.max()) + 1 if len(stratum) else 1
    place: npt.NDArray[np.intp] = np.unique(title.astype(np.int64) * strata + stratum, return_inverse=True)[1].reshape(
        -1
    )
    return place
