"""Groups of similar images that a probe's decision line cuts through: what a person should decide about next.

After Agile Deliberation (arXiv 2512.10821): a concept becomes clear at its edge, and a group of similar images on both
sides of the line asks one question about the edge. The images nearest to the line are clustered; a group is good where
the line parts it evenly, where its images are alike, and where no group was decided nearby.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.extmath import randomized_svd

from attune.models.scope.group_settings import GroupSettings
from attune.models.spaces.clustering import find_centres, nearest_centre
from attune.models.threads import one_thread

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Group:
    """``rows`` (m,) of the band, one a title: the nearest to the centre, in turn from either side of the line.

    ``mixed`` in [0, 1] is 1 where half of the cluster lies on either side; ``alike`` in [-1, 1] is the mean cosine of
    its images with its centre, both less the band's mean; ``direction`` (d,) is that centre, of unit length.
    """

    rows: Rows
    direction: Floats
    mixed: float
    alike: float


def from_line(margins: npt.NDArray[Any], allowed: npt.NDArray[np.bool_], side: float) -> npt.NDArray[Any]:
    """``margins`` (N,) from a line that has at least the share ``side`` of the ``allowed`` (N,) rows on either side.

    The probe's own line (0) stays where it does so. A probe of few answers may call no image positive, or every one:
    its order says something then, and its line nothing.
    """
    if not allowed.any():
        return margins
    lo, hi = np.quantile(margins[allowed], [side, 1 - side])
    return np.asarray(margins - np.clip(0.0, lo, hi))


def near_line(margins: npt.NDArray[Any], allowed: npt.NDArray[np.bool_], count: int) -> Rows:
    """At most ``count`` of the ``allowed`` (N,) bool rows, half of them the nearest to the line on either side.

    ``margins`` (N,): above 0 the class counts. A side that has fewer leaves its places to the other. Ascending.
    """
    rows = np.flatnonzero(allowed)
    above = margins[rows] > 0
    sides = [rows[above], rows[~above]]
    half = count // 2
    shares = [min(len(side), max(half, count - len(other))) for side, other in zip(sides, sides[::-1], strict=True)]
    nearest = [
        side[np.argsort(np.abs(margins[side]), kind="stable")[:share]]
        for side, share in zip(sides, shares, strict=True)
    ]
    return np.sort(np.concatenate(nearest)).astype(np.intp)


def cut_groups(
    vectors: Floats,
    margins: npt.NDArray[Any],
    titles: npt.NDArray[np.str_],
    decided: Sequence[Floats],
    count: int,
    settings: GroupSettings | None = None,
) -> list[Group]:
    """At most ``count`` groups of the band, the best first; fewer, or none, where the line cuts through no more.

    ``vectors`` (n, d) of unit length, ``margins`` and ``titles`` (n,) of the band; ``decided``: the mean vectors (d,)
    of the groups that were decided. The same band gives the same groups.
    """
    chosen = settings or GroupSettings()
    if len(vectors) < chosen.smallest:
        return []
    mean = vectors.mean(axis=0)
    taken = [_unit(one - mean) for one in decided]
    found = _clusters(vectors - mean, margins, titles, chosen)
    groups: list[Group] = []
    for one in sorted(found, key=lambda one: -one.mixed * max(one.alike, 0.0)):
        if len(groups) < count and all(float(one.direction @ other) < chosen.apart for other in taken):
            groups.append(one)
            taken.append(one.direction)
    return groups


def _clusters(
    centred: Floats, margins: npt.NDArray[Any], titles: npt.NDArray[np.str_], settings: GroupSettings
) -> list[Group]:
    kept = min(settings.kept, *centred.shape)
    with one_thread():
        scores, spread, _ = randomized_svd(centred, kept, random_state=0)
        rows = np.ascontiguousarray(scores * spread, dtype=np.float32)  # the leading components, as `PCA` has them
        labels = nearest_centre(rows, find_centres(rows, max(1, len(rows) // settings.each)))
    made = [_group(np.flatnonzero(labels == one), centred, margins, titles, settings) for one in np.unique(labels)]
    return [one for one in made if one is not None]


def _group(
    members: Rows, centred: Floats, margins: npt.NDArray[Any], titles: npt.NDArray[np.str_], settings: GroupSettings
) -> Group | None:
    """The group that stands for a cluster, None where it is too small or lies on one side of the line."""
    share = float((margins[members] > 0).mean())
    if min(share, 1 - share) < settings.least:
        return None
    direction = _unit(centred[members].mean(axis=0))
    lengths = np.maximum(np.linalg.norm(centred[members], axis=1), 1e-12)
    cosines = (centred[members] @ direction) / lengths
    rows = _shown(members[np.argsort(-cosines, kind="stable")], margins, titles, settings.size)
    if len(rows) < settings.smallest:
        return None
    return Group(rows, direction, 2 * min(share, 1 - share), float(cosines.mean()))


def _shown(nearest: Rows, margins: npt.NDArray[Any], titles: npt.NDArray[np.str_], size: int) -> Rows:
    """At most ``size`` of the members, the nearest of each side in turn, one a title."""
    _, first = np.unique(titles[nearest], return_index=True)
    one_each = nearest[np.sort(first)]
    above = margins[one_each] > 0
    place = np.where(above, np.cumsum(above), np.cumsum(~above))
    return np.asarray(one_each[np.argsort(place, kind="stable")[:size]], dtype=np.intp)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
