"""Take a backup of a workspace while Attune runs: a folder of plain files, and the list of them with their digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import attune
from attune.labeler.backups import contents, copying, manifest
from attune.labeler.backups.contents import Part
from attune.labeler.backups.manifest import Counts, Entry, Manifest, Report
from attune.labeler.backups.sqlite_snapshots import snapshot
from attune.labeler.records import copy_rows
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError, UnwritableFile
from attune.models.reasons import reason


def take(settings: Settings, to: Path, report: Report, without_vectors: bool = False) -> Manifest:
    """Write a backup of the workspace into the new or empty folder ``to``; everybody may go on working meanwhile.

    ``report`` hears of bytes. The records and Label Studio's database are each of one moment, the records' first. A
    file that is removed while others are copied is left out. Raises DataError where ``to`` is in use or in the
    workspace or a database is damaged, UnwritableFile where ``to`` cannot be written. What was begun then has no
    manifest, so that nobody takes it for a backup.
    """
    _check_place(settings, to)
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        counts, schema = _take_records(settings, to)
        files = tuple(_copied(settings.workspace, to, contents.taken(without_vectors), report))
        made = Manifest(
            format=manifest.FORMAT,
            attune=attune.__version__,
            schema=schema,
            taken_at=iso(now()),
            workspace=str(settings.workspace.absolute()),
            counts=counts,
            elsewhere=tuple(_elsewhere(settings, without_vectors)),
            files=files,
        )
        made.write(to)
    except OSError as error:
        raise UnwritableFile(
            f"The backup {to} stopped: {reason(error)}. It is not whole and cannot be restored. Delete the folder, "
            "make room or name another folder, and take the backup again."
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"A database of {settings.workspace} is damaged, so there is no new backup. Keep your older backups. "
            "To see which one: `attune doctor`"
        ) from error
    return made


def _check_place(settings: Settings, to: Path) -> None:
    if to.resolve().is_relative_to(settings.workspace.resolve()):
        raise DataError(
            f"{to} is inside the workspace, so it would be lost with it. Name a folder elsewhere, best on another disk."
        )
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise DataError(f"{to} is there already and not empty. Name a new folder: each backup has one of its own.")


def _take_records(settings: Settings, to: Path) -> tuple[Counts, str]:
    """Write the records of one moment as SQLite, whatever they are kept in; their counts, and their schema."""
    target = to / contents.RECORDS
    if settings.records_url.startswith("sqlite:///"):
        snapshot(Path(settings.records_url.removeprefix("sqlite:///")), target)
    else:
        copy_rows.copy(settings.records_url, f"sqlite:///{target}", lambda _done, _total: None)
    opened = create_engine(f"sqlite:///{target}")  # plain: ours would put a log of writes beside the file
    with Session(opened) as session:
        counts = manifest.count(session)
        schema = MigrationContext.configure(session.connection()).get_current_revision() or ""
    opened.dispose()
    return counts, schema


def _copied(workspace: Path, to: Path, parts: tuple[Part, ...], report: Report) -> Iterator[Entry]:
    total = sum(_size(workspace / name) for part in parts for name in contents.files(workspace, part))
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        report(done, max(total, done))

    yield copying.entry_of(to, contents.RECORDS)
    for part in parts:
        if part.name == contents.LABEL_STUDIO and (workspace / contents.LABEL_STUDIO_DATABASE).is_file():
            (to / part.name).mkdir(exist_ok=True)
            snapshot(workspace / contents.LABEL_STUDIO_DATABASE, to / contents.LABEL_STUDIO_DATABASE)
            yield copying.entry_of(to, contents.LABEL_STUDIO_DATABASE)
        if part.name == contents.VECTORS:
            for folder in sorted((workspace / part.name).glob("*/")):
                yield from copying.copy_vectors(workspace, to, f"{part.name}/{folder.name}", tell)
        elif part.name != contents.RECORDS:
            yield from copying.copy_files(workspace, to, contents.files(workspace, part), tell)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _elsewhere(settings: Settings, without_vectors: bool) -> Iterator[str]:
    if settings.label_studio_url:
        yield f"Label Studio at {settings.label_studio_address} is not Attune's own: back up its database there."
    if settings.catalog_url:
        yield f"The catalog is at {settings.catalog_url}: back it up there."
    if without_vectors:
        yield "Vectors were left out: Attune computes them again from the images."
    yield "Images that were added by command are where they were: back up their folders."
