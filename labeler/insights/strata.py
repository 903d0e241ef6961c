"""The rows of all imports, summed by image and stratum, as sorted arrays: read a part of the titles at a time.

Of ten million rows the sums with their names would need gigabytes. Here only one part has names, and what stays of
more than one part lies in a file, as numbers. Parts are of ascending titles, so each is sorted alone and the whole is
sorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.title_ranges import between, counted, parts
from attune.models.insights.outcomes import Floats, Ints, Outcomes, check_counts
from attune.models.insights.row_parts import Stored

PART = 1_000_000  # rows that are summed at once, or as many as one title has
Names = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Summed:
    """``every`` row, where ``Outcomes.canvas`` counts strata; in a file where there are many. ``canvas_of`` and
    ``random`` (strata,) are the canvas of each stratum and whether its rows are of the arm explore. ``propensity`` (n,)
    is NaN where a row has none; None unless it was asked for, and for rows in a file, which has it."""

    every: Outcomes | Stored
    propensity: Floats | None
    asset_ids: Names
    title_ids: Names
    canvases: Names
    canvas_of: Ints
    random: npt.NDArray[np.bool_]

    def with_chances(self) -> Iterator[tuple[Outcomes, Floats]]:
        """The rows in parts, with the propensity of each (n,); nothing unless it was asked for."""
        if isinstance(self.every, Outcomes):
            yield from ((part, self.propensity) for part in self.every.parts() if self.propensity is not None)
        elif self.every.beside:
            yield from self.every.with_more()


def summed(duck: duckdb.DuckDBPyConnection, rows: str, chances: bool, folder: Path) -> Summed | None:
    """Sum ``rows``, SQL of a relation; None where it has none. ``chances``: with the mean propensity of each sum. Many
    sums lie in a file without a name in ``folder``."""
    titles = counted(duck, rows)
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
    every, propensity = _read(_Source(duck, rows, group, titles, assets.combine_chunks(), chances), folder)
    asset_ids, title_ids = (one.to_numpy(zero_copy_only=False) for one in (assets, titles["title_id"]))
    random = strata["random"].to_numpy(zero_copy_only=False).astype(bool)
    return Summed(every, propensity, asset_ids, title_ids, canvases, canvas_of, random)


@dataclass(frozen=True, eq=False)
class _Source:
    """Where sums come from: SQL of ``rows`` and of the ``group`` within a canvas, and all ``titles`` and ``assets``."""

    duck: duckdb.DuckDBPyConnection
    rows: str
    group: str
    titles: pa.Table
    assets: pa.Array
    chances: bool

    def sums(self, first: int, last: int) -> tuple[Outcomes, Floats | None]:
        """Those of the titles from ``first`` to ``last``, sorted by title, stratum and asset, with propensities."""
        names = self.titles["title_id"].combine_chunks()[first : last + 1]
        chance = ", avg(propensity) AS propensity" if self.chances else ""
        part = self.duck.sql(f"""
            SELECT asset_id, title_id, stratum, sum(impressions)::DOUBLE AS impressions,
                sum(takes)::DOUBLE AS takes{chance}
            FROM (SELECT *, {self.group} AS key FROM {self.rows} WHERE {between(names[0].as_py(), names[-1].as_py())})
            JOIN strata USING (canvas, key) GROUP BY asset_id, title_id, stratum""").to_arrow_table()
        title, asset = _places(part["title_id"], names) + np.int32(first), _places(part["asset_id"], self.assets)
        stratum = part["stratum"].to_numpy()
        order = np.lexsort((asset, stratum, title))
        shown, taken = (part[name].to_numpy()[order] for name in ("impressions", "takes"))
        check_counts(shown, taken)
        found = Outcomes(asset[order], title[order], stratum[order], shown, taken)
        return found, part["propensity"].to_numpy(zero_copy_only=False)[order] if self.chances else None


def _read(source: _Source, folder: Path) -> tuple[Outcomes | Stored, Floats | None]:
    """All sums, sorted by title, stratum and asset: in memory where they are one part, else in a file."""
    ranges = list(parts(source.titles["n"].to_numpy(), PART))
    if len(ranges) == 1:
        return source.sums(*ranges[0])
    stored = Stored(folder, source.chances)
    for first, last in ranges:
        stored.add(*source.sums(first, last))
    return stored, None


def _places(column: pa.ChunkedArray, names: pa.Array) -> npt.NDArray[np.int32]:
    """The place (n,) of each of ``column`` among ``names``."""
    places: npt.NDArray[np.int32] = pc.index_in(column.combine_chunks(), value_set=names).to_numpy()
    return places
