"""The rows of all imports, summed by image and stratum, as sorted arrays: read a part of the titles at a time.

Of ten million rows the sums with their names would need gigabytes. Here only one part has names; all that stays are
numbers of 4 bytes and counts of 8. Parts are of ascending titles, so each is sorted alone and the whole is sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.duck import literal
from attune.models.insights.outcomes import Floats, Ints, Outcomes, check_counts

PART = 1_000_000  # rows that are summed at once, or as many as one title has
Names = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Summed:
    """``every`` row, where ``Outcomes.canvas`` counts strata. ``canvas_of`` and ``random`` (strata,) are the canvas of
    each stratum and whether its rows are of the arm explore. ``propensity`` (n,) is NaN where a row has none; None
    unless it was asked for."""

    every: Outcomes
    propensity: Floats | None
    asset_ids: Names
    title_ids: Names
    canvases: Names
    canvas_of: Ints
    random: npt.NDArray[np.bool_]


def summed(duck: duckdb.DuckDBPyConnection, rows: str, chances: bool) -> Summed | None:
    """Sum ``rows``, SQL of a relation; None where it has none. ``chances``: with the mean propensity of each sum."""
    titles = duck.sql(f"SELECT title_id, count(*) AS n FROM {rows} GROUP BY ALL ORDER BY title_id").to_arrow_table()
    if not titles.num_rows:
        return None
    group = f"hash({', '.join((*GROUPS, *PERIOD, 'arm'))})"
    duck.execute(f"""
        CREATE OR REPLACE TEMP TABLE strata AS
        SELECT (row_number() OVER (ORDER BY canvas, key) - 1)::INTEGER AS stratum, canvas, key, random
        FROM (SELECT DISTINCT canvas, {group} AS key, arm = 'explore' AS random FROM {rows})""")
    strata = duck.sql("SELECT canvas, random FROM strata ORDER BY stratum").to_arrow_table()
    assets = duck.sql(f"SELECT DISTINCT asset_id FROM {rows} ORDER BY asset_id").to_arrow_table()["asset_id"]
    canvases, canvas_of = np.unique(strata["canvas"].to_numpy(zero_copy_only=False), return_inverse=True)
    every, propensity = _filled(duck, partial(_sums, rows, group, chances), titles, assets.combine_chunks(), chances)
    asset_ids, title_ids = (one.to_numpy(zero_copy_only=False) for one in (assets, titles["title_id"]))
    random = strata["random"].to_numpy(zero_copy_only=False).astype(bool)
    return Summed(every, propensity, asset_ids, title_ids, canvases, canvas_of, random)


def _sums(rows: str, group: str, chances: bool, first: str, last: str) -> str:
    """SQL of the sums of a part: the titles from ``first`` to ``last``."""
    chance = ", avg(propensity) AS propensity" if chances else ""
    return f"""
        SELECT asset_id, title_id, stratum, sum(impressions)::DOUBLE AS impressions, sum(takes)::DOUBLE AS takes{chance}
        FROM (SELECT *, {group} AS key FROM {rows} WHERE title_id BETWEEN {literal(first)} AND {literal(last)})
        JOIN strata USING (canvas, key) GROUP BY asset_id, title_id, stratum"""


def _filled(
    duck: duckdb.DuckDBPyConnection, sums: Callable[[str, str], str], titles: pa.Table, assets: pa.Array, chances: bool
) -> tuple[Outcomes, Floats | None]:
    """All sums, sorted by title, stratum and asset. ``sums``: SQL of those of the titles from one to another."""
    most = int(pc.sum(titles["n"]).as_py())  # pages that are not written to take no memory
    asset, title, stratum = (np.empty(most, dtype=np.int32) for _ in range(3))
    shown, taken = np.empty(most), np.empty(most)
    propensity = np.empty(most) if chances else None
    names, end = titles["title_id"].combine_chunks(), 0
    for first, last in _parts(titles["n"].to_numpy()):
        part = duck.sql(sums(names[first].as_py(), names[last].as_py())).to_arrow_table()
        at, to = slice(end, end + part.num_rows), slice(first, last + 1)
        keys = (
            _places(part["title_id"], names[to]).astype(np.int64) + first, part["stratum"].to_numpy(),
            _places(part["asset_id"], assets),
        )  # fmt: skip
        order = np.lexsort(keys[::-1])
        title[at], stratum[at], asset[at] = (one[order] for one in keys)
        shown[at], taken[at] = part["impressions"].to_numpy()[order], part["takes"].to_numpy()[order]
        check_counts(shown[at], taken[at])
        if propensity is not None:
            propensity[at] = part["propensity"].to_numpy(zero_copy_only=False)[order]
        end += part.num_rows
    there = Outcomes(asset[:end], title[:end], stratum[:end], shown[:end], taken[:end])
    return there, None if propensity is None else propensity[:end]


def _places(column: pa.ChunkedArray, names: pa.Array) -> npt.NDArray[np.int32]:
    """The place (n,) of each of ``column`` among ``names``."""
    places: npt.NDArray[np.int32] = pc.index_in(column.combine_chunks(), value_set=names).to_numpy()
    return places


def _parts(counts: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """The first and the last title of each part, for the rows (titles,) that each title has."""
    part = (np.cumsum(counts) - counts) // PART
    firsts = np.flatnonzero(np.diff(part, prepend=-1))
    yield from zip(firsts.tolist(), [*(firsts[1:] - 1).tolist(), len(counts) - 1], strict=True)
