"""Members' rows: hashed while they are read, kept as Parquet until a day, erased by member, by day, or all.

The hash is that of viewing histories (`recommend.histories`), calculated by DuckDB in the query that reads the file: a
member's id is never written by Attune. Only a file from elsewhere is copied for as long as it is read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.members.columns import LAYOUTS, RESPONSES, Layout
from attune.labeler.performance.clean import WRITE
from attune.labeler.performance.columns import choose, parse_map
from attune.labeler.performance.duck import connection, literal, parquet
from attune.labeler.performance.faults import Fault, find_faults, summary
from attune.labeler.performance.imports import SERVE, nothing_used, unreadable
from attune.labeler.performance.source import Source, open_source
from attune.labeler.recommend.histories import MOST_DAYS, hashed
from attune.labeler.records.schema import MemberFile
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings import secrets as keys
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.files.atomic import digest_file

FOR_ONE_FIT = timedelta(days=1)  # where nothing is to be kept: a worker may have to wait for its turn
STRAY_SECONDS = 86_400  # after which a file that no record names is no import at work
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

    sweep(settings)
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
            digest = _write(settings, duck, layout.kept.format(rows=good), folder)
            step()
        except duckdb.Error as error:
            raise DataError(unreadable(settings, source.name, error)) from error
    row = MemberFile(
        kind=wanted.kind, file=digest, source=wanted.place, rows=rows, rows_read=read, faults=summary(faults),
        added_by=who, added_at=now(), expires_at=now() + (FOR_ONE_FIT if days is None else timedelta(days=days)),
    )  # fmt: skip
    with writing(settings) as session:
        session.add(row)
        session.flush()
        session.expunge(row)
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
    """SQL of ``histories.hashed`` of a column: HMAC-SHA256 (RFC 2104) by two hashes of SHA-256."""
    key = keys.load(settings.secrets).viewer_key.encode().ljust(BLOCK_BYTES, b"\0")
    outer, inner = ("".join(f"\\x{one ^ pad:02X}" for one in key) for pad in (0x5C, 0x36))
    return f"sha256('{outer}'::BLOB || unhex(sha256('{inner}'::BLOB || encode({column}))))"


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


def _write(settings: Settings, duck: duckdb.DuckDBPyConnection, query: str, folder: Path) -> str:
    """Put the rows of ``query`` into a file of the workspace that only its user can read; the digest."""
    made = folder / "kept.parquet"
    duck.execute(f"COPY ({query}) TO {literal(str(made))} {WRITE}")
    digest = digest_file(made)
    path = file_of(settings, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.chmod(made, 0o600)
    os.replace(made, path)
    return digest


def file_of(settings: Settings, digest: str) -> Path:
    """Where the rows of a file are."""
    return settings.workspace / "members" / f"{digest}.parquet"


def listed(session: Session, kind: str = "") -> list[MemberFile]:
    """What is kept still, of one kind or of both, the oldest first."""
    wanted = select(MemberFile).where(MemberFile.expires_at > now()).order_by(MemberFile.id)
    return list(session.scalars(wanted.where(MemberFile.kind == kind) if kind else wanted))


def erase(settings: Settings, member: str | None = None) -> int:
    """Erase the rows of one member, or of all; how many rows, as they are kept: one for each title or image."""
    with reading(settings) as session:
        held = listed(session)
    gone = 0
    with connection(settings) as (duck, folder):
        for row in held:
            table = parquet(file_of(settings, row.file))
            if member is None:
                (count,) = duck.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
                gone += count
                continue
            mine = f"member = {literal(hashed(settings, member.strip()))}"
            (count,) = duck.execute(f"SELECT count(*) FROM {table} WHERE {mine}").fetchall()[0]
            if count:
                gone += count
                digest = _write(settings, duck, f"SELECT * FROM {table} WHERE NOT ({mine})", folder)
                _moved(settings, row.id, digest)
                _unlink(settings, [row.file])
    if member is None:
        delete(settings, [row.id for row in held])
    return gone


def _moved(settings: Settings, number: int, digest: str) -> None:
    with writing(settings) as session:
        row = session.get(MemberFile, number)
        if row is not None:  # gone meanwhile: its file has no record, and goes as a stray
            row.file = digest


def delete(settings: Settings, numbers: Sequence[int]) -> None:
    """Delete some files and their records."""
    with writing(settings) as session:
        rows = list(session.scalars(select(MemberFile).where(MemberFile.id.in_(list(numbers)))))
        digests = [row.file for row in rows]
        for row in rows:
            session.delete(row)
    _unlink(settings, digests)


def _unlink(settings: Settings, digests: Sequence[str]) -> None:
    """Delete some files, unless a record names them: the same rows may be kept twice."""
    with reading(settings) as session:
        named = set(session.scalars(select(MemberFile.file).where(MemberFile.file.in_(list(digests)))))
    for digest in set(digests) - named:
        file_of(settings, digest).unlink(missing_ok=True)


def sweep(settings: Settings) -> None:
    """Delete what was to be kept until now, and what imports that were killed left."""
    with reading(settings) as session:
        old = list(session.scalars(select(MemberFile.id).where(MemberFile.expires_at <= now())))
    if old:
        delete(settings, old)
    before = time.time() - STRAY_SECONDS
    paths = [path for path in file_of(settings, "x").parent.glob("*.parquet") if path.stat().st_mtime < before]
    _unlink(settings, [path.stem for path in paths])
