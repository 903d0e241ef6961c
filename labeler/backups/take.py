"""Take a backup of a workspace while Attune runs: a folder of plain files, and the list of them with their digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import attune
from attune.labeler.assets import image_uris
from attune.labeler.backups import contents, copying, manifest
from attune.labeler.backups.contents import Part
from attune.labeler.backups.manifest import Counts, Entry, Manifest, Report
from attune.labeler.backups.sqlite_snapshots import snapshot
from attune.labeler.records import copy_rows
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError, UnwritableFile
from attune.models.reasons import reason
from attune.models.text import plural


def take(settings: Settings, to: Path, report: Report, without_vectors: bool = False) -> Manifest:
    """Write a backup of the workspace into the new or empty folder ``to``; everybody may go on working meanwhile.

    ``report`` hears of bytes. The records and Label Studio's database are each of one moment, the records' first, and
    each file that the records name is in the backup if it was in the workspace. Raises DataError where ``to`` is in use
    or in the workspace or a database is damaged, UnwritableFile where ``to`` cannot be written. What was begun then has
    no manifest, so that nobody takes it for a backup.
    """
    _check_place(settings, to)
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        copied = _Copied(settings.workspace, to, contents.taken(without_vectors), report)
        copied.files()
        counts, schema = _take_records(settings, to)
        copied.label_studio()
        copied.files()  # what came since, which the records may name
        copied.vectors()
        made = Manifest(
            format=manifest.FORMAT,
            attune=attune.__version__,
            schema=schema,
            taken_at=iso(now()),
            workspace=written_ways(settings.workspace),
            counts=counts,
            elsewhere=tuple(_elsewhere(settings, copied.parts, without_vectors)),
            files=(copying.entry_of(to, contents.RECORDS), *copied.entries()),
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


class _Copied:
    """The files that are in the backup so far."""

    def __init__(self, workspace: Path, to: Path, parts: tuple[Part, ...], report: Report) -> None:
        self.workspace, self.to, self.parts = workspace, to, parts
        self._report, self._done = report, 0
        self._total = sum(_size(workspace / name) for part in parts for name in contents.files(workspace, part))
        self._entries: dict[str, Entry] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def entries(self) -> list[Entry]:
        """What the manifest says of them."""
        return [self._entries[name] for name in sorted(self._entries)]

    def files(self) -> None:
        """Copy all files that are not databases or vectors, and that are new or changed since the last call."""
        for part in self.parts:
            if part.name not in {contents.RECORDS, contents.VECTORS}:
                names = contents.files(self.workspace, part)
                self._keep(copying.copy_files(self.workspace, self.to, filter(self._is_new, names), self._tell))

    def label_studio(self) -> None:
        """Copy Label Studio's database, if it is ours."""
        if (self.workspace / contents.LABEL_STUDIO_DATABASE).is_file():
            (self.to / contents.LABEL_STUDIO).mkdir(exist_ok=True)
            snapshot(self.workspace / contents.LABEL_STUDIO_DATABASE, self.to / contents.LABEL_STUDIO_DATABASE)
            self._keep([copying.entry_of(self.to, contents.LABEL_STUDIO_DATABASE)])

    def vectors(self) -> None:
        """Copy each encoder's vectors as they are at one moment."""
        if any(part.name == contents.VECTORS for part in self.parts):
            for folder in sorted((self.workspace / contents.VECTORS).glob("*/")):
                name = f"{contents.VECTORS}/{folder.name}"
                self._keep(copying.copy_vectors(self.workspace, self.to, name, self._tell))

    def _is_new(self, name: str) -> bool:
        try:
            state = (self.workspace / name).stat()
        except FileNotFoundError:
            return False
        before, self._seen[name] = self._seen.get(name), (state.st_mtime_ns, state.st_size)
        return before != self._seen[name]

    def _keep(self, entries: Iterable[Entry]) -> None:
        self._entries |= {entry.path: entry for entry in entries}

    def _tell(self, more: int) -> None:
        self._done += more
        self._report(self._done, max(self._total, self._done))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def written_ways(workspace: Path) -> tuple[str, ...]:
    """The ways in which records may write the path of a workspace, the plain one first."""
    return tuple(
        dict.fromkeys((image_uris.absolute(str(workspace)), str(workspace.absolute()), str(workspace.resolve())))
    )


def _elsewhere(settings: Settings, parts: tuple[Part, ...], without_vectors: bool) -> Iterator[str]:
    if settings.label_studio_url:
        yield f"Label Studio at {settings.label_studio_address} is not Attune's own: back up its database there."
    elif settings.label_studio_database_url:
        yield "Label Studio's database is on PostgreSQL: back it up there with pg_dump, right after this."
    if settings.catalog_url:
        yield f"The catalog is at {settings.catalog_url}: back it up there."
    if without_vectors:
        yield "Vectors were left out: Attune computes them again from the images."
    if linked := [name for part in parts for name in contents.links(settings.workspace, part)]:
        named = ", ".join(linked[:3]) + (" …" if len(linked) > 3 else "")
        yield f"{plural(len(linked), 'link')} in the workspace: {named}. Back up what they lead to."
    yield "Images that were added by command are where they were: back up their folders."
