"""Images that were taken more or less often than the other images of their title on the same canvas.

These are examples to look at, not tests: the errors are those of counts alone (Poisson). So each figure is shrunk
towards no difference by how much such figures vary (`shrinkage`), and only what stays clear of it is named. Shrunk is
the ratio of takes to expected takes, not its logarithm: where takes are few, the logarithm's errors are not normal, and
an image that nobody took would have none.
"""

from __future__ import annotations

import numpy as np

from attune.models.insights.outcomes import Bools, Floats, Outcomes
from attune.models.insights.shrinkage import Shrunk, shrink_many

CLEAR = 1.96  # standard errors
LEAST = 0.01  # of the expected takes: below, a logarithm says more than the takes do


def beside_expected(outcomes: Outcomes) -> Shrunk:
    """For each row (n,) its takes over those that it would have if all images of its cell were alike, less 1, shrunk
    towards 0. NaN for an image that is alone in its cell, or where nothing was shown or taken."""
    ratio, error = (np.full(len(outcomes), np.nan) for _ in range(2))
    told, expected, share = _expected(outcomes)
    ratio[told] = outcomes.takes[told] / expected[told] - 1
    error[told] = np.sqrt((1 - share[told]) / expected[told])
    return shrink_many(ratio, error)


def against_others(outcomes: Outcomes) -> Shrunk:
    """For each row (n,) the log ratio of its take rate over that of the other images of its cell, shrunk towards 0.

    NaN for an image that is alone in its cell, or where nothing was shown or taken.
    """
    drawn, share = beside_expected(outcomes), _expected(outcomes)[2]
    takes = np.clip(1 + drawn.estimate, LEAST, (1 - LEAST) / np.maximum(share, LEAST))
    left = 1 - share * takes
    # An image is in the sum that it is compared with: without it the others' rate is smaller where its own is larger.
    return Shrunk(np.log(takes * (1 - share) / left), drawn.se / (takes * left), 0.0, drawn.tau)


def _expected(outcomes: Outcomes) -> tuple[Bools, Floats, Floats]:
    """Which rows (n,) can be compared, the takes of each if its cell's images were alike, and its share of the cell's
    impressions, less than 1 where it can be compared."""
    if not len(outcomes):
        return np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0)
    starts = outcomes.cell_starts()
    sizes = np.diff(np.r_[starts, len(outcomes)])
    shown, taken = (np.repeat(np.add.reduceat(one, starts), sizes) for one in (outcomes.impressions, outcomes.takes))
    share = np.divide(outcomes.impressions, shown, out=np.full(len(outcomes), np.nan), where=shown > 0)
    told: Bools = (share > 0) & (share < 1) & (taken > 0)
    share[~told] = np.nan
    return told, taken * share, share
