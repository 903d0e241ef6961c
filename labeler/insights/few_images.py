"""A few images that show what a feature says: chosen from its file alone, so that only these few are looked up.

To look up each image of a large pool takes seconds. What was chosen is kept as long as the file says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from attune.labeler.insights import features
from attune.labeler.insights.known import Known
from attune.labeler.measured import values
from attune.labeler.settings import Settings

KEPT = 64  # features of which a process keeps what it chose

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Group:
    """``ids`` that lead their group, the first to be shown first, and the bytes (sha256) that this is true of, None
    where it is true of any; ``whole``: there are no more."""

    ids: tuple[str, ...]
    contents: tuple[str | None, ...]
    whole: bool

    def alive(self, pool: Mapping[str, str], hidden: frozenset[str]) -> list[str]:
        """The ids that are in the ``pool`` (id -> sha256) as the same picture, without the ``hidden`` ones."""
        both = zip(self.ids, self.contents, strict=True)
        return [id_ for id_, of in both if id_ in pool and of in {None, pool[id_]} and id_ not in hidden]


def shown(settings: Settings, feature: Known, count: int, hidden: frozenset[str]) -> list[list[str]]:
    """The ids of ``count`` images of each class, drawn by chance and always the same; of a number those with the
    lowest values and those with the highest, each at most half of all. Fewer where there are fewer. None that left the
    pool, is another picture by now, or is ``hidden``. Raises what `features.stored` raises.
    """
    groups = _few(settings, replace(feature, audits=""))
    found = _alive(settings, groups, hidden)
    if any(len(ids) < count and not one.whole for ids, one in zip(found, groups, strict=True)):
        groups = _chosen(settings, feature, None)
        found = _alive(settings, groups, hidden)
    if not feature.classes and groups[0].whole:
        count = min(count, len(found[0]) // 2)
    return [ids[:count] for ids in found]


@lru_cache(maxsize=KEPT)
def _few(settings: Settings, feature: Known) -> tuple[Group, ...]:
    return _chosen(settings, feature, max(1, features.FEW // (len(feature.classes) or 2)))


def _alive(settings: Settings, groups: tuple[Group, ...], hidden: frozenset[str]) -> list[list[str]]:
    ids = {id_ for one in groups for id_ in one.ids}
    pool = values.pool(settings, sorted(ids) if len(ids) <= features.FEW else None)
    return [one.alive(pool, hidden) for one in groups]


def _chosen(settings: Settings, feature: Known, most: int | None) -> tuple[Group, ...]:
    """``most`` of each group, or all of them for None."""
    table = features.stored(settings, feature)
    if feature.classes:
        of_class = pc.index_in(table["value"], value_set=pa.array(feature.classes, pa.string()))
        codes, rng = of_class.fill_null(-1).to_numpy(), np.random.default_rng(0)
        mine = [np.flatnonzero(codes == code) for code in range(len(feature.classes))]
        rows = [rng.choice(here, min(most or len(here), len(here)), replace=False) for here in mine]
    else:
        numbers = table["value"].to_numpy().astype(np.float64)
        mine = [np.flatnonzero(np.isfinite(numbers))] * 2
        rows = list(_ends(numbers, mine[0], most))
    return tuple(_group(table, few, len(few) == len(here)) for few, here in zip(rows, mine, strict=True))


def _ends(numbers: npt.NDArray[np.float64], known: Rows, most: int | None) -> tuple[Rows, Rows]:
    """Of the rows ``known`` of ``numbers`` the ``most`` lowest, lowest first, and as many of the highest; no row in
    both unless both have all."""
    if most is None or 2 * most >= len(known):
        order = known[np.argsort(numbers[known], kind="stable")]
        return order, order[::-1]
    parted = known[np.argpartition(numbers[known], (most, len(known) - most))]
    low, high = parted[:most], parted[-most:]
    return low[np.argsort(numbers[low], kind="stable")], high[np.argsort(-numbers[high], kind="stable")]


def _group(table: pa.Table, rows: Rows, whole: bool) -> Group:
    chosen = table.select(["asset_id", "content"]).take(pa.array(rows))
    return Group(tuple(chosen["asset_id"].to_pylist()), tuple(chosen["content"].to_pylist()), whole)
