"""Was a random test really random? Images of a cell must be shown in the planned ratio (sample ratio mismatch).

Pearson's chi-square per cell at p < .001 (Fabijan et al., KDD 2019). In the Upworthy archive it finds the tests that a
server's cache had spoiled, two years after publication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from attune.models.insights.outcomes import Floats, Ints

THRESHOLD = 0.001


@dataclass(frozen=True, eq=False)
class Ratios:
    """For each cell with two or more images its number in ``cell`` (c,), ``p`` (c,), and whether it is ``flagged``."""

    cell: Ints
    p: Floats
    flagged: npt.NDArray[np.bool_]


def sample_ratios(cell: Ints, impressions: Floats, expected: Floats | None = None) -> Ratios:
    """Test each cell: ``cell`` and ``impressions`` (n,) have one row for each image in a cell.

    ``expected`` (n,) is in proportion to the planned impressions; None: the same for each image of a cell.
    """
    plan = np.ones(len(cell)) if expected is None else np.asarray(expected, dtype=np.float64)
    names, place = np.unique(cell, return_inverse=True)
    place = place.reshape(-1)
    shown, planned, images = (np.bincount(place, column) for column in (impressions, plan, plan > 0))
    wanted = shown[place] * plan / np.where(planned[place] > 0, planned[place], 1.0)
    part = np.divide((impressions - wanted) ** 2, wanted, out=np.zeros(len(cell)), where=wanted > 0)
    tested = (images >= 2) & (shown > 0)
    p = p_values(np.bincount(place, part)[tested], images[tested])
    return Ratios(names[tested], p, p < THRESHOLD)


def p_values(statistic: npt.ArrayLike, images: npt.ArrayLike) -> Floats:
    """The p value of each cell (c,) with two or more ``images`` and Pearson's ``statistic``."""
    return np.asarray(chdtrc(np.asarray(images, dtype=np.float64) - 1, statistic), dtype=np.float64)
