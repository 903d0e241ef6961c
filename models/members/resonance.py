"""Which image a group of members takes more than the other members do, against the other images of its title.

The figure is a log ratio of two rate ratios: this image over the others of its title in the group, over the same among
all other members. What makes a title popular, and what makes an image popular with everybody, cancels out. Members are
independent of each other, their impressions are not: errors are clustered by member (delta method). Figures are shrunk
as all figures of many are, and the false discovery rate is over all images and groups that have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from attune.models.insights.false_discovery import q_values
from attune.models.insights.outcomes import Floats, Ints
from attune.models.insights.shrinkage import shrink
from attune.models.members.small_cells import FLOOR

LEAST_TAKES = 10  # in each of the four cells: of fewer, the error is not known
HALF = 0.5  # added to takes (Haldane and Anscombe)


@dataclass(frozen=True, eq=False)
class Shown:
    """What members were shown: ``member``, ``asset``, ``impressions`` and ``takes`` (n,), one row for each member and
    image; ``group`` (m,) of each member, below 0 for none; ``title`` (a,) of each image."""

    member: Ints
    asset: Ints
    impressions: Floats
    takes: Floats
    group: Ints
    title: Ints


@dataclass(frozen=True, eq=False)
class Resonance:
    """For each told pair of ``asset`` and ``group`` (p,): ``estimate``, ``se`` and ``p`` as measured, the ``shrunk``
    estimate with its ``low`` and ``high`` (95 %), and ``q``. ``asked``: pairs that would be told with more members."""

    asset: Ints
    group: Ints
    estimate: Floats
    se: Floats
    p: Floats
    q: Floats
    shrunk: Floats
    low: Floats
    high: Floats
    asked: int


@dataclass(frozen=True, eq=False)
class _Cells:
    """Figures (a, k) of each image and group: takes, rate, variance of the log, members."""

    takes: Floats
    impressions: Floats
    own: Floats
    members: Floats


def resonance(shown: Shown, groups: int) -> Resonance:
    """Compare each image with the others of its title, in each of ``groups`` against all other members.

    A pair is told where each of the four cells has ``FLOOR`` members and ``LEAST_TAKES`` takes.
    """
    mine, others = _contrast(shown, shown.group, groups)
    estimate, variance, enough, asked = np.zeros(mine.takes.shape), np.zeros(mine.takes.shape), None, 0
    for side, sign in ((shown.group, 1.0), (None, -1.0)):
        if side is None:
            mine, others = _rest(shown, groups)
        ratio = np.log((mine.takes + HALF) / np.maximum(mine.impressions, 1e-9))
        ratio -= np.log((others.takes + HALF) / np.maximum(others.impressions, 1e-9))
        estimate += sign * ratio
        variance += mine.own
        there = (mine.members > 0) & (others.members > 0)
        full = (mine.members >= FLOOR) & (others.members >= FLOOR)
        full &= (mine.takes >= LEAST_TAKES) & (others.takes >= LEAST_TAKES)
        enough = full if enough is None else enough & full
        asked = max(asked, int(there.sum()))
    assert enough is not None
    asset, group = np.nonzero(enough & (variance > 0))
    raw, se = estimate[asset, group], np.sqrt(variance[asset, group])
    p = 2 * ndtr(-np.abs(raw / se)) if len(raw) else np.zeros(0)
    drawn = shrink(raw, se)
    reach = 1.96 * drawn.se
    return Resonance(
        asset.astype(np.intp), group.astype(np.intp), raw, se, p, q_values(p), drawn.estimate, drawn.estimate - reach,
        drawn.estimate + reach, asked,
    )  # fmt: skip


def _rest(shown: Shown, groups: int) -> tuple[_Cells, _Cells]:
    """As ``_contrast``, of all members that are in another group."""
    parts = []
    for one in range(groups):
        group = np.where(shown.group < 0, -1, np.where(shown.group == one, -1, 0))
        parts.append(_contrast(shown, group, 1))
    sides = []
    for side in range(2):
        cells = [part[side] for part in parts]
        sides.append(_Cells(*(np.hstack([getattr(one, name) for one in cells])
                              for name in ("takes", "impressions", "own", "members"))))  # fmt: skip
    return sides[0], sides[1]


def _contrast(shown: Shown, group: Ints, groups: int) -> tuple[_Cells, _Cells]:
    """Of each image and group: the cells of the image, and of the others of its title.

    ``own`` of the first is the variance of the log ratio of both, clustered by member.
    """
    kept = group[shown.member] >= 0
    member, asset, n, t = shown.member[kept], shown.asset[kept], shown.impressions[kept], shown.takes[kept]
    of, assets = group[member], len(shown.title)
    titles = int(shown.title.max()) + 1 if assets else 0
    # What each member was shown of each title, whatever the image.
    pair, place = np.unique(member * titles + shown.title[asset], return_inverse=True)
    place = place.reshape(-1)
    all_n, all_t = np.bincount(place, n), np.bincount(place, t)
    images = np.bincount(place)
    cell, of_title = asset * groups + of, (pair % max(titles, 1)) * groups + group[pair // max(titles, 1)]

    def of_images(values: npt.NDArray[Any]) -> Floats:
        sums = np.bincount(cell, values, minlength=assets * groups).reshape(assets, groups)
        return np.asarray(sums, dtype=np.float64)

    def of_titles(values: npt.NDArray[Any]) -> Floats:
        sums = np.bincount(of_title, values, minlength=titles * groups).reshape(titles, groups)
        return np.asarray(sums[shown.title], dtype=np.float64)

    shown_a, taken_a, members_a = of_images(n), of_images(t), of_images(np.ones(len(n)))
    shown_o, taken_o = of_titles(all_n) - shown_a, of_titles(all_t) - taken_a
    members_o = of_titles(np.ones(len(pair))) - of_images((images[place] == 1) * 1.0)
    rate_a, rate_o = (taken / np.maximum(seen, 1e-9) for taken, seen in ((taken_a, shown_a), (taken_o, shown_o)))
    own = t - rate_a[asset, of] * n
    rest = (all_t[place] - t) - rate_o[asset, of] * (all_n[place] - n)
    # All members of the title, less those who saw this image, whose part of the others is counted with their own.
    squares = of_titles(all_t**2) - 2 * rate_o * of_titles(all_t * all_n) + rate_o**2 * of_titles(all_n**2)
    whole = all_t[place] - rate_o[asset, of] * all_n[place]
    squares = np.maximum(squares - of_images(whole**2), 0)
    a, o = taken_a + HALF, taken_o + HALF
    both = own / a[asset, of] - rest / o[asset, of]
    variance = of_images(both**2) + squares / o**2
    return _Cells(taken_a, shown_a, variance, members_a), _Cells(taken_o, shown_o, variance, members_o)


def taken_more(found: Resonance, group: int, q: float) -> npt.NDArray[np.intp]:
    """The places in ``found`` of what resonates with ``group``, the strongest first: q at most ``q``, above 0."""
    places = np.flatnonzero((found.group == group) & (found.q <= q) & (found.shrunk > 0))
    return places[np.argsort(-found.shrunk[places], kind="stable")]
