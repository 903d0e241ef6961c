"""Rows divided by ranges of titles, so that each part is worked on in bounded memory.

Clean rows lie in the order of their titles, so a range is read from a few groups of rows of the Parquet file, and all
ranges together read it once. Rows of an import from before that order was kept are read once for each range.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.performance.duck import literal

BUCKET = 2_500_000  # rows that are sorted or joined at once


def counted(duck: duckdb.DuckDBPyConnection, rows: str) -> pa.Table:
    """``title_id`` and its number of rows ``n``, by title."""
    found: pa.Table = duck.sql(
        f"SELECT title_id, count(*) AS n FROM {rows} GROUP BY ALL ORDER BY title_id"
    ).to_arrow_table()
    return found


def parts(counts: npt.NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """The first and the last title of each part of about ``size`` rows, or of one title, for the rows (titles,) that
    each title has."""
    if not len(counts):
        return
    part = (np.cumsum(counts) - counts) // size
    firsts = np.flatnonzero(np.diff(part, prepend=-1))
    yield from zip(firsts.tolist(), [*(firsts[1:] - 1).tolist(), len(counts) - 1], strict=True)


def ranges(duck: duckdb.DuckDBPyConnection, rows: str) -> list[str]:
    """SQL conditions that together hold for all ``rows``, each for about ``BUCKET`` of them and for whole titles; one,
    where there are none."""
    titles = counted(duck, rows)
    names, found = titles["title_id"], list(parts(titles["n"].to_numpy(), BUCKET))
    if len(found) < 2:
        return ["true"]
    return [between(names[first].as_py(), names[last].as_py()) for first, last in found]


def between(first: str, last: str) -> str:
    """SQL condition: the titles from ``first`` to ``last``."""
    return f"title_id BETWEEN {literal(first)} AND {literal(last)}"
