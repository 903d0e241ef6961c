"""Images that were taken more or less often than the other images of their title on the same canvas.

These are examples to look at, not tests: the errors are those of counts alone (Poisson). So each figure is shrunk
towards no difference by how much such figures vary (`shrinkage`), and only what stays clear of it is named.
"""

from __future__ import annotations

import numpy as np

from attune.models.insights.outcomes import Floats, Outcomes
from attune.models.insights.shrinkage import Shrunk, shrink

HALF = 0.5  # added to takes, so that none at all has a finite logarithm (Haldane and Anscombe)
CLEAR = 1.96  # standard errors


def against_others(outcomes: Outcomes) -> Shrunk:
    """For each row (n,) the log ratio of its take rate over that of the other images of its cell, shrunk towards 0.

    NaN for an image that is alone in its cell, or where nothing was shown or taken.
    """
    if not len(outcomes):
        return Shrunk(np.zeros(0), np.zeros(0), 0.0, 0.0)
    starts = outcomes.cell_starts()
    sizes = np.diff(np.r_[starts, len(outcomes)])
    shown, taken = outcomes.impressions, outcomes.takes
    others_shown = np.repeat(np.add.reduceat(shown, starts), sizes) - shown
    others_taken = np.repeat(np.add.reduceat(taken, starts), sizes) - taken
    told = (shown > 0) & (others_shown > 0) & (taken + others_taken > 0)
    ratio: Floats = np.full(len(outcomes), np.nan)
    error: Floats = np.full(len(outcomes), np.nan)
    mine, theirs = taken[told] + HALF, others_taken[told] + HALF
    ratio[told] = np.log(mine / shown[told]) - np.log(theirs / others_shown[told])
    error[told] = np.sqrt(1 / mine + 1 / theirs)
    return shrink(ratio, error)
