"""Was a random test really random? Images of a cell must be shown in the planned ratio (sample ratio mismatch).

Pearson's chi-square per cell at p < .001 (Fabijan et al., KDD 2019). In the Upworthy archive it finds the tests that a
server's cache had spoiled, two years after publication. Chi-square is wrong where few impressions are expected (Cochran
1954), so images that expect fewer than five are merged; a cell that is too small even for that has an exact test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, chdtrc

from attune.models.insights.false_discovery import q_values
from attune.models.insights.outcomes import Floats, Ints

THRESHOLD = 0.001
FALSE_SHARE = 0.01  # of the cells that fail, so that thousands of good cells pass together
LEAST_EXPECTED = 5.0


@dataclass(frozen=True, eq=False)
class Ratios:
    """For each cell with two or more images its number in ``cell`` (c,), ``p`` (c,), whether it is ``flagged`` by
    itself, and whether it ``failed`` among all cells: what no randomised evidence may have."""

    cell: Ints
    p: Floats
    flagged: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.bool_]


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
    p: Floats = np.ones(len(names))
    p[tested] = p_values(np.bincount(place, part)[tested], images[tested])
    small = np.flatnonzero(tested & (np.bincount(place, (wanted > 0) & (wanted < LEAST_EXPECTED)) > 0))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(names) + 1))
    for one in small.tolist():
        rows = order[starts[one] : starts[one + 1]]
        p[one] = small_p(impressions[rows], wanted[rows])
    p = p[tested]
    return Ratios(names[tested], p, p < THRESHOLD, failed(p))


def failed(p: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which of the cells with p values ``p`` (c,) fail, if at most ``FALSE_SHARE`` of those that do may be good ones.

    Of thousands of good cells some are always below ``THRESHOLD``; with this correction they all pass in 99 of 100
    imports. A few spoiled cells still fail.
    """
    return np.asarray(q_values(p) <= FALSE_SHARE)


def p_values(statistic: npt.ArrayLike, images: npt.ArrayLike) -> Floats:
    """The p value of each cell (c,) with two or more ``images`` and Pearson's ``statistic``."""
    return np.asarray(chdtrc(np.asarray(images, dtype=np.float64) - 1, statistic), dtype=np.float64)


def small_p(impressions: Floats, wanted: Floats) -> float:
    """The p value of one cell where images (k,) may want fewer than five impressions; merged by the plan alone.

    Images that want the least are merged until each group wants five. A cell with only one such group is divided into
    two halves of the plan, which have an exact binomial test (two-sided, twice the smaller tail).
    """
    order = np.argsort(wanted, kind="stable")[(wanted == 0).sum() :]
    shown, plan = impressions[order], wanted[order]
    groups = _merged(plan)
    count = int(groups.max()) + 1 if len(groups) else 0
    if count >= 2:
        seen, planned = np.bincount(groups, shown), np.bincount(groups, plan)
        return float(chdtrc(count - 1, ((seen - planned) ** 2 / planned).sum()))
    total = round(float(shown.sum()))
    if len(shown) < 2 or not total:
        return 1.0
    first = np.arange(len(shown)) % 2 == 0
    half, share = round(float(shown[first].sum())), float(plan[first].sum() / plan.sum())
    least = float(bdtr(half, total, share))
    most = 1 - float(bdtr(half - 1, total, share)) if half else 1.0
    return min(1.0, 2 * min(least, most))


def _merged(plan: Floats) -> Ints:
    """Groups (k,) of ascending ``plan`` (k,), each of at least ``LEAST_EXPECTED``; the rest joins the last."""
    groups, group, total = np.zeros(len(plan), dtype=np.intp), 0, 0.0
    for place, one in enumerate(plan):
        groups[place] = group
        total += one
        if total >= LEAST_EXPECTED:
            group, total = group + 1, 0.0
    if total and group:
        groups[groups == group] = group - 1
    return groups
