"""All rows of members that are kept, as numbers: who watched what, and who was shown which image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.members import kept
from attune.labeler.members.columns import RESPONSES, VIEWING
from attune.labeler.performance.aggregate import encoded
from attune.labeler.performance.duck import connection, literal
from attune.labeler.records.schema import MemberFile
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.outcomes import Floats, Ints

Names = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Viewing:
    """``member``, ``title`` (n,) numbers, ``minutes`` (n,) or NaN; a row for each member and title."""

    member: Ints
    title: Ints
    minutes: Floats
    title_ids: Names


@dataclass(frozen=True, eq=False)
class Responded:
    """``member``, ``asset`` (n,), ``impressions``, ``takes`` (n,); ``title`` (a,) of each image; ``random``: whether
    the images were shown at random."""

    member: Ints
    asset: Ints
    impressions: Floats
    takes: Floats
    title: Ints
    asset_ids: Names
    title_ids: Names
    random: bool


@dataclass(frozen=True, eq=False)
class Rows:
    """What is kept; None for what nobody brought. ``members`` is how many there are in both, numbered alike."""

    viewing: Viewing | None
    responses: Responded | None
    members: int


def load(settings: Settings, files: Sequence[MemberFile]) -> Rows:
    """Read ``files``. Raises DataError where one is gone: a member was erased just now."""
    viewing = [kept.file_of(settings, row.file) for row in files if row.kind == VIEWING]
    responses = [kept.file_of(settings, row.file) for row in files if row.kind == RESPONSES]
    try:
        with connection(settings) as (duck, _):
            whole = [_union(paths) for paths in (viewing, responses)]
            there = " UNION ALL ".join(f"SELECT member FROM {table}" for table in whole if table)
            # Each member once, also where there is one file alone: else every row would count as a member.
            duck.execute(f"CREATE TEMP TABLE ids AS SELECT member, (row_number() OVER (ORDER BY member)) - 1 AS id "
                         f"FROM (SELECT DISTINCT member FROM ({there}))")  # fmt: skip
            (members,) = duck.execute("SELECT count(*) FROM ids").fetchall()[0]
            watched = _viewing(duck, whole[0]) if whole[0] else None
            return Rows(watched, _responses(duck, whole[1]) if whole[1] else None, members)
    except duckdb.IOException as error:
        raise DataError("A file of members changed while it was read: somebody was erased. Run it again.") from error


def _union(paths: Sequence[object]) -> str:
    """SQL of the rows of all files."""
    names = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{names}], hive_partitioning=false)" if paths else ""


def _viewing(duck: duckdb.DuckDBPyConnection, table: str) -> Viewing:
    held: pa.Table = duck.sql(f"""
        SELECT id, title_id, sum(minutes) AS minutes FROM {table} JOIN ids USING (member)
        GROUP BY ALL ORDER BY ALL""").to_arrow_table()
    title, names = encoded(held["title_id"])
    minutes = held["minutes"].to_numpy().astype(np.float64)
    return Viewing(held["id"].to_numpy().astype(np.intp), title, minutes, names)


def _responses(duck: duckdb.DuckDBPyConnection, table: str) -> Responded:
    """Rows that were shown at random where there are any, else all."""
    (random,) = duck.execute(f"SELECT count(*) > 0 FROM {table} WHERE arm = 'explore'").fetchall()[0]
    where = "WHERE arm = 'explore'" if random else ""
    held: pa.Table = duck.sql(f"""
        SELECT id, asset_id, min(title_id) OVER (PARTITION BY asset_id) AS title_id, impressions, takes FROM (
            SELECT id, asset_id, min(title_id) AS title_id, sum(impressions) AS impressions, sum(takes) AS takes
            FROM {table} JOIN ids USING (member) {where} GROUP BY id, asset_id)
        ORDER BY id, asset_id""").to_arrow_table()
    asset, asset_ids = encoded(held["asset_id"])
    title, title_ids = encoded(held["title_id"])
    of: Ints = np.zeros(len(asset_ids), dtype=np.intp)
    of[asset] = title
    impressions, takes = (held[name].to_numpy().astype(np.float64) for name in ("impressions", "takes"))
    member = held["id"].to_numpy().astype(np.intp)
    return Responded(member, asset, impressions, takes, of, asset_ids, title_ids, bool(random))
