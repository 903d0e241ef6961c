"""Imports of performance: add a file, list, remove, and the rows of all of them as one relation.

Each import keeps its clean rows in one Parquet file that is named by its sha256, and one record. Millions of rows never
go through the records. A row that a later import has, too (the same key and period), counts as the later one says.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.performance.clean import Cleaned, clean
from attune.labeler.performance.columns import KEY, PERIOD, choose, parse_map
from attune.labeler.performance.duck import connection, literal, parquet
from attune.labeler.performance.faults import Fault, summary
from attune.labeler.performance.source import Source, made_up, open_source
from attune.labeler.records.schema import PerformanceImport
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.files.atomic import canonical_json, digest_file

Report = Callable[[int, int], None]
STEPS = 6  # of an import: read, judge, write, digest, compare, keep
SERVE = "serve"  # of rows that say nothing: nobody may take them for randomised


@dataclass(frozen=True)
class Added:
    """``row`` is the record; ``again``: this file was there already, and nothing changed."""

    row: PerformanceImport
    faults: tuple[Fault, ...]
    again: bool = False


def add(
    settings: Settings, place: str, maps: tuple[str, ...] = (), arm: str = "", who: str = "",
    report: Report | None = None, one_chance: bool = False, source: str = "",
) -> Added:  # fmt: skip
    """Import the CSV or Parquet file at ``place``, a path or an address of fsspec.

    ``maps`` are texts ``column=field``; ``arm`` is that of rows without one. ``one_chance``: whoever imports declares
    that all impressions of a row had the chance that the row tells. ``source`` is what the record calls the file, else
    ``place``. Raises DataError where the file cannot be read, a
    column is missing, or no row can be used: then nothing is kept.
    """
    done = iter(range(1, STEPS + 1))

    def step() -> None:
        if report is not None:
            report(next(done), STEPS)

    mapped = parse_map(maps)
    with connection(settings) as (duck, folder):
        file = open_source(settings, place, folder, duck)
        chosen = choose(file.columns, mapped, file.name)
        options = _options(file, chosen, arm, one_chance)
        digest = hashlib.sha256(digest_file(file.path).encode() + canonical_json(options)).hexdigest()
        with reading(settings) as session:
            before = active(session)
        if before and before[0].source_digest == digest:
            return Added(before[0], (), again=True)
        live = relation(settings, before) if before else ""
        try:
            cleaned = clean(duck, file, chosen, options["arm"], folder, live, step)
        except duckdb.Error as error:
            check_files(settings, before)
            raise DataError(unreadable(settings, file.name, error)) from error
        if not cleaned.rows:
            raise DataError(nothing_used(file.name, cleaned.read, cleaned.faults))
        row = _keep(settings, duck, cleaned, live, step)
        row.source, row.source_digest, row.options, row.added_by = source or place, digest, options, who
        _record(settings, row, before)
        step()
    return Added(row, tuple(cleaned.faults))


def _options(source: Source, chosen: dict[str, str], arm: str, one_chance: bool) -> dict[str, Any]:
    """How an import was read, as its record keeps it. Raises DataError for a chance of rows that have none."""
    if one_chance and "propensity" not in chosen:
        raise DataError(
            f"--one-chance is about the propensity of each row, and {source.name} has no column for it. Name it, for "
            "example --map p_shown=propensity, or leave --one-chance out."
        )
    options: dict[str, Any] = {"columns": chosen, "arm": arm or SERVE} | made_up(source)
    return options | {"one_chance": True} if one_chance else options


def has_one_chance(row: PerformanceImport) -> bool:
    """Whether an import declares that all impressions of a row had the row's propensity."""
    return bool(row.options.get("one_chance"))


def _record(settings: Settings, row: PerformanceImport, before: list[PerformanceImport]) -> None:
    """Write an import down, where those that it was compared with are still the ones that count. Raises DataError."""
    with writing(settings) as session:
        others = active(session)
        if [one.id for one in others] == [one.id for one in before]:
            session.add(row)
            session.flush()
            session.expunge(row)
            return
    if all(one.file != row.file for one in others):
        file_of(settings, row.file).unlink(missing_ok=True)
    raise DataError(
        "Another import was added or removed at the same time, so rows could count twice. Nothing was imported. Run "
        "the command again."
    )


def _keep(
    settings: Settings, duck: duckdb.DuckDBPyConnection, cleaned: Cleaned, live: str, step: Callable[[], None]
) -> PerformanceImport:
    table = parquet(cleaned.path)
    impressions, takes = duck.execute(f"SELECT sum(impressions)::BIGINT, sum(takes)::DOUBLE FROM {table}").fetchall()[0]
    replaced = 0
    if live:
        new = f"SELECT {_identity()} FROM {table}"
        (replaced,) = duck.execute(f"SELECT count(*) FROM {live} WHERE {_identity()} IN ({new})").fetchall()[0]
    step()
    digest = digest_file(cleaned.path)
    path = file_of(settings, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    with cleaned.path.open("rb") as file:
        os.fsync(file.fileno())
    os.chmod(cleaned.path, 0o600)
    os.replace(cleaned.path, path)
    step()
    return PerformanceImport(
        file=digest, rows=cleaned.rows, rows_read=cleaned.read, rows_replaced=replaced, faults=summary(cleaned.faults),
        impressions=impressions, takes=takes, added_at=now(), removed_by="", removed_reason="",
    )  # fmt: skip


def active(session: Session) -> list[PerformanceImport]:
    """The imports that count, the newest first."""
    wanted = select(PerformanceImport).where(PerformanceImport.removed_at.is_(None))
    return list(session.scalars(wanted.order_by(PerformanceImport.id.desc())))


def listed(session: Session) -> list[PerformanceImport]:
    """All imports, removed ones too, the newest first."""
    return list(session.scalars(select(PerformanceImport).order_by(PerformanceImport.id.desc())))


def remove(settings: Settings, number: int, reason: str, who: str) -> PerformanceImport:
    """Remove an import and delete its file. Raises DataError where it does not exist, is gone, or without a reason."""
    if not reason.strip():
        raise DataError("The reason is empty. Say why, for whoever reads the list later: --reason TEXT")
    with writing(settings) as session:
        row = session.get(PerformanceImport, number)
        if row is None:
            raise DataError(f"Import {number} does not exist. To list the imports: `attune performance list`")
        if row.removed_at is not None:
            raise DataError(f"Import {number} was already removed, by {row.removed_by}: {row.removed_reason}")
        row.removed_at, row.removed_by, row.removed_reason = now(), who, reason.strip()
        shared = any(one.file == row.file for one in active(session))
        session.flush()
        session.expunge(row)
    if not shared:
        file_of(settings, row.file).unlink(missing_ok=True)
    return row


def relation(settings: Settings, imports: list[PerformanceImport], title: str | None = None) -> str:
    """SQL of the rows of ``imports`` (newest first), without those that a later one replaces; ``one_chance`` is what
    the import of each says of its propensities. Of one ``title``, or of all.

    Raises DataError where a file is gone.
    """
    parts: list[str] = []
    later: list[str] = []
    for row in imports:
        path = file_of(settings, row.file)
        if not path.exists():
            raise DataError(_lost(path, row, "does not exist"))
        table = parquet(path)
        if title is not None:  # a row only replaces one of the same title
            table = f"(SELECT * FROM {table} WHERE title_id = {literal(title)})"
        # Only imports that replaced something can hide rows of older ones.
        hidden = " AND ".join(f"{_identity()} NOT IN (SELECT {_identity()} FROM {one})" for one in later)
        wanted = f"SELECT *, {has_one_chance(row)} AS one_chance FROM {table}"
        parts.append(f"{wanted} WHERE {hidden}" if hidden else wanted)
        if row.rows_replaced:
            later.append(table)
    return "(" + " UNION ALL ".join(parts) + ")"


@contextmanager
def rows_of(
    settings: Settings, imports: list[PerformanceImport], title: str | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection, and SQL of the rows of ``imports``, newest first; of one ``title``, or of all.

    Raises DataError where a file is gone or damaged.
    """
    with connection(settings) as (duck, _):
        try:
            yield duck, relation(settings, imports, title)
        except duckdb.Error:
            check_files(settings, imports)
            raise


def check_files(settings: Settings, imports: list[PerformanceImport]) -> None:
    """Raise DataError for the first of ``imports`` whose file is not the one that was written."""
    for row in imports:
        path = file_of(settings, row.file)
        if digest_file(path) != row.file:
            raise DataError(_lost(path, row, "is damaged"))


def file_of(settings: Settings, digest: str) -> Path:
    """Where the rows of an import are."""
    return settings.workspace / "performance" / f"{digest}.parquet"


def _identity() -> str:
    return f"hash({', '.join((*KEY, *PERIOD))})"


def _lost(path: Path, row: PerformanceImport, what: str) -> str:
    return (
        f"The file {path} of import {row.id} {what}. Restore it from a backup, or remove the import and add its file "
        f"again: `attune performance remove {row.id} --reason lost`"
    )


def unreadable(settings: Settings, name: str, error: duckdb.Error) -> str:
    """Why the file ``name`` could not be read to its end, and what to do."""
    if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error):
        return (
            f"{name} needs more room than the disk of {settings.workspace} has free. Free some space there, or import "
            "the file in parts."
        )
    return f"{name} cannot be read to its end. It may be cut off or damaged. Write it again as CSV (UTF-8) or Parquet."


def nothing_used(name: str, read: int, faults: Sequence[Fault]) -> str:
    """Why nothing was imported of a file with ``read`` rows."""
    if not read:
        return f"{name} has a header and no rows. Nothing was imported."
    return " ".join([f"No row of {name} can be used, so nothing was imported.", *(one.text for one in faults)])
