"""Rows that would count the same takes twice: the same image, canvas and group of viewers in overlapping periods."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from attune.labeler.performance.columns import KEY
from attune.labeler.performance.title_ranges import ranges

# An open end: such a row counts for all time.
START, END = "coalesce(period_start, TIMESTAMP '0001-01-01')", "coalesce(period_end, TIMESTAMP '9999-01-01')"


def find_doubled(connection: duckdb.DuckDBPyConnection, table: str, live: str) -> None:
    """Put the ``line`` of each doubled row of ``table`` into the temporary table ``doubled``.

    Of rows that overlap, the one that starts first stays, or the first in the file. An end may be the start of the
    next. ``live`` is SQL of rows that are there already: a row whose period is the same replaces its own.
    """
    connection.execute("CREATE TEMP TABLE doubled (line BIGINT)")
    for titles in ranges(connection, f"(SELECT title_id FROM {table} WHERE fault = 0)"):
        part = f"(SELECT * FROM {table} WHERE fault = 0 AND {titles})"
        if live:
            connection.execute(f"INSERT INTO doubled {_against(part, f'(SELECT * FROM {live} WHERE {titles})')}")
        (suspects,) = connection.execute(f"SELECT count(*) FROM ({_suspect_keys(part)})").fetchall()[0]
        if suspects:
            lines = _left_out(_runs(connection, part))
            connection.executemany("INSERT INTO doubled VALUES (?)", [(line,) for line in lines])


def _suspect_keys(part: str) -> str:
    """SQL of the keys with a row that overlaps any before it."""
    again = f"SELECT * FROM {part} WHERE key IN (SELECT key FROM {part} GROUP BY key HAVING count(*) > 1)"
    return f"""
        SELECT DISTINCT key FROM (
            SELECT key, {START} AS s, lag({START}) OVER w AS before,
                max({END}) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
            FROM ({again}) WINDOW w AS (PARTITION BY key ORDER BY {START}, line)
        ) WHERE before IS NOT NULL AND (s < until OR s = before)"""


def _runs(connection: duckdb.DuckDBPyConnection, part: str) -> Iterable[tuple[int, int, int, int]]:
    """Key, line, start and end of the rows with suspect keys, in order."""
    found = connection.execute(f"""
        SELECT key, line, epoch_us({START}) AS s, epoch_us({END}) AS e FROM {part}
        WHERE key IN ({_suspect_keys(part)}) AND line NOT IN (SELECT line FROM doubled)
        ORDER BY key, s, line""").fetchnumpy()
    return zip(*(found[name].tolist() for name in ("key", "line", "s", "e")), strict=True)


def _left_out(rows: Iterable[tuple[int, int, int, int]]) -> Iterable[int]:
    """The lines that overlap a row that stays; one that is left out hides no other."""
    last, start, until = -1, 0, 0
    for key, line, s, e in rows:
        if key == last and (s < until or s == start):
            yield line
        else:
            last, start, until = key, s, e


def _against(part: str, live: str) -> str:
    old = f"SELECT hash({', '.join(KEY)}) AS key, {START} AS s, {END} AS e FROM {live}"
    return f"""
        SELECT DISTINCT n.line FROM (SELECT key, line, {START} AS s, {END} AS e FROM {part}) n JOIN ({old}) o
        ON n.key = o.key AND n.s < o.e AND o.s < n.e AND NOT (n.s = o.s AND n.e = o.e)"""
