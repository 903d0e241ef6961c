"""Images that were taken more or less often than the other images of their title on the same canvas.

These are examples to look at, not tests: their errors are those of counts alone. So each figure is drawn towards no
difference by how much such figures vary (`count_shrinkage`), and only what stays clear of it is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.models.insights.count_shrinkage import Ratios, shrink_counts
from attune.models.insights.outcomes import Bools, Floats, Outcomes

CLEAR = 0.975  # the chance that the difference goes the way that it seems to
LEAST_OTHERS = 10.0  # expected takes of the others: fewer are nothing to compare with
HALF = 0.5  # takes of the others, at the least: none at all would make any ratio


@dataclass(frozen=True, eq=False)
class Standouts:
    """``estimate`` (n,): the log ratio of an image's take rate over that of the others of its cell; NaN where it cannot
    be told. ``clear`` (n,): whether it is surely another than 0."""

    estimate: Floats
    clear: Bools


def beside_expected(outcomes: Outcomes) -> Ratios:
    """For each row (n,) its takes over those that it would have if all images of its cell were alike, drawn to 1.

    NaN for an image that is alone in its cell, where nothing was shown, and beside others that were hardly taken.
    """
    return _drawn(outcomes, *_expected(outcomes))


def against_others(outcomes: Outcomes) -> Standouts:
    """Each image (n,) beside the other images of its cell."""
    expected, share = _expected(outcomes)
    found = _drawn(outcomes, expected, share)
    others = expected / share * (1 - share)
    # An image is in the sum that it is compared with: without it the others' rate is smaller where its own is larger.
    left = np.maximum((1 - share * found.ratio) / (1 - share), HALF / others)
    clear: Bools = np.maximum(found.above, 1 - found.above) > CLEAR
    return Standouts(np.log(found.ratio / left), clear)


def _drawn(outcomes: Outcomes, expected: Floats, share: Floats) -> Ratios:
    # Given its cell's takes, an image's vary by 1 - share of what they would alone.
    apart = 1 - share
    return shrink_counts(np.where(np.isnan(expected), np.nan, outcomes.takes) / apart, expected / apart)


def _expected(outcomes: Outcomes) -> tuple[Floats, Floats]:
    """The takes of each row (n,) if its cell's images were alike, and its share of the cell's impressions; NaN where
    there is nothing to compare with."""
    if not len(outcomes):
        return np.zeros(0), np.zeros(0)
    starts = outcomes.cell_starts()
    sizes = np.diff(np.r_[starts, len(outcomes)])
    shown, taken = (np.repeat(np.add.reduceat(one, starts), sizes) for one in (outcomes.impressions, outcomes.takes))
    share = np.divide(outcomes.impressions, shown, out=np.zeros(len(outcomes)), where=shown > 0)
    told = (share > 0) & (taken * (1 - share) >= LEAST_OTHERS)
    return np.where(told, taken * share, np.nan), np.where(told, share, np.nan)
