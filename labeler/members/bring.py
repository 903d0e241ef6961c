"""Members' rows from a file: hashed while they are read, judged row by row, then kept.

The hash is that of viewing histories (`recommend.histories`), calculated by DuckDB in the query that reads the file: a
member's id is never written by Attune. Only a file from elsewhere is copied for as long as it is read; what a killed
command leaves of it goes within minutes, where the scheduler runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from attune.labeler.members import kept
from attune.labeler.members.columns import LAYOUTS, RESPONSES, Layout
from attune.labeler.performance.clean import WRITE
from attune.labeler.performance.columns import choose, parse_map
from attune.labeler.performance.duck import connection, literal, parquet
from attune.labeler.performance.faults import Fault, find_faults, summary
from attune.labeler.performance.imports import SERVE, nothing_used, unreadable
from attune.labeler.performance.source import Source, made_up, open_source
from attune.labeler.recommend.histories import MOST_DAYS
from attune.labeler.records.schema import MemberFile
from attune.labeler.settings import Settings
from attune.labeler.settings import secrets as keys
from attune.models.clock import now
from attune.models.errors import DataError

STEPS = 4
BLOCK_BYTES = 64  # of SHA-256
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Added:
    """The record of what was kept, and what was wrong with other rows."""

    row: MemberFile
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Wanted:
    """A file to bring: ``kind`` of ``place``, ``maps`` as ``column=field``; ``arm`` of rows that say none."""

    kind: str
    place: str
    maps: tuple[str, ...] = ()
    arm: str = ""


def add(settings: Settings, wanted: Wanted, days: int | None, who: str = "", report: Report | None = None) -> Added:
    """Keep the good rows of a file for ``days``, or where None for one fit.

    Raises DataError for a number of days that is not between 1 and ``MOST_DAYS``, where the file cannot be read, a
    column is missing, or no row can be used.
    """
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise DataError(f"--keep is {days}. Give a number of days from 1 to {MOST_DAYS}.")
    layout = LAYOUTS[wanted.kind]
    done = iter(range(1, STEPS + 1))

    def step() -> None:
        if report is not None:
            report(next(done), STEPS)

    kept.sweep(settings)
    with connection(settings) as (duck, folder):
        source = open_source(settings, wanted.place, folder, duck)
        mapped = parse_map(wanted.maps, layout.fields)
        chosen = choose(source.columns, mapped, source.name, layout.fields, layout.required)
        step()
        staged = folder / "staged.parquet"
        try:
            query = _judged(settings, source, layout, chosen, wanted.arm or SERVE)
            duck.execute(f"COPY ({query}) TO {literal(str(staged))} {WRITE}")
            step()
            read, faults = _find(duck, parquet(staged), source, layout, wanted.kind)
            good = f"(SELECT * FROM {parquet(staged)} WHERE fault = 0 AND line NOT IN (SELECT line FROM doubled))"
            (rows,) = duck.execute(f"SELECT count(*) FROM {good}").fetchall()[0]
            if not rows:
                raise DataError(nothing_used(source.name, read, faults))
            made = folder / "kept.parquet"
            duck.execute(f"COPY ({layout.kept.format(rows=good)}) TO {literal(str(made))} {WRITE}")
            step()
        except duckdb.Error as error:
            raise DataError(unreadable(settings, source.name, error)) from error
        at = now()
        row = kept.put(settings, made, MemberFile(
            kind=wanted.kind, source=wanted.place, rows=rows, rows_read=read, faults=summary(faults), added_by=who,
            added_at=at, expires_at=at + (kept.FOR_ONE_FIT if days is None else timedelta(days=days)),
            simulated=bool(made_up(source)),
        ))  # fmt: skip
    step()
    return Added(row, tuple(faults))


def _judged(settings: Settings, source: Source, layout: Layout, chosen: dict[str, str], arm: str) -> str:
    """SQL of all rows with their values, the hash of their member, and their fault (0: none)."""
    every = (*layout.texts, *layout.numbers)
    texts = [f"{source.text(chosen[name]) if name in chosen else literal('')} AS t_{name}" for name in every]
    raw = f"SELECT row_number() OVER () AS line, {', '.join(texts)} FROM {source.relation()}"
    values = [f"nfc_normalize(t_{name}) AS {name}" for name in layout.texts if name not in {"member", "arm"}]
    values.append(f"CASE WHEN t_member = '' THEN '' ELSE {_hash(settings, 't_member')} END AS member")
    values += [f"TRY_CAST(t_{name} AS DOUBLE) AS {name}" for name in layout.numbers]
    if "arm" in layout.texts:
        values.append(f"CASE WHEN t_arm = '' THEN {literal(arm)} ELSE lower(t_arm) END AS arm")
    cast = f"SELECT * EXCLUDE (t_member), {', '.join(values)} FROM ({raw})"
    cases = " ".join(f"WHEN {test} THEN {number}" for number, (_, _, test) in enumerate(layout.faults, start=1))
    return f"SELECT line, {', '.join(every)}, CASE {cases} ELSE 0 END::UTINYINT AS fault FROM ({cast})"


def _hash(settings: Settings, column: str) -> str:
    """SQL of ``kept.hash_of`` of a trimmed column: HMAC-SHA256 (RFC 2104) by two hashes of SHA-256."""
    key = keys.load(settings.secrets).viewer_key.encode().ljust(BLOCK_BYTES, b"\0")
    outer, inner = ("".join(f"\\x{one ^ pad:02X}" for one in key) for pad in (0x5C, 0x36))
    return f"sha256('{outer}'::BLOB || unhex(sha256('{inner}'::BLOB || encode(nfc_normalize({column})))))"


def _find(
    duck: duckdb.DuckDBPyConnection, table: str, source: Source, layout: Layout, kind: str
) -> tuple[int, list[Fault]]:
    """How many rows there were, and what is wrong with some; those that come again are in the table ``doubled``."""
    again = f"SELECT line FROM (SELECT line, {layout.again} AS it FROM {table} WHERE fault = 0)"
    if kind == RESPONSES:
        first = "first_value(title_id) OVER (PARTITION BY asset_id ORDER BY line)"
        again = f"SELECT line, title_id, {first} AS first FROM {table} WHERE fault = 0"
        again = f"SELECT line FROM ({again}) WHERE title_id <> first"
    else:
        again += " QUALIFY row_number() OVER (PARTITION BY it ORDER BY line) > 1"
    duck.execute(f"CREATE TEMP TABLE doubled AS {again}")
    (read,) = duck.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    reasons = [(reason, about) for reason, about, _ in layout.faults]
    faults, rejected = find_faults(duck, table, source, reasons, layout.doubled)
    return read + rejected, faults
