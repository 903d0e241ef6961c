"""What a backup says of itself, in ``backup.json``: written last, so that a backup without it is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, Asset, Attribute, User, Version
from attune.models.errors import DataError
from attune.models.files.atomic import write_json

NAME = "backup.json"
FORMAT = 1
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """One file of the backup: its ``path`` below the backup's folder, its size in bytes, the sha256 of its bytes."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Counts:
    """Rows of the records at the moment of the backup."""

    images: int
    attributes: int
    answers: int
    versions: int
    users: int


@dataclass(frozen=True)
class Manifest:
    """``schema``: the migration that the records are at. ``workspace``: where it was, as its path is written in
    the records: there may be several ways.

    ``elsewhere``: what belongs to the workspace and is not in the backup, a sentence each.
    """

    format: int
    attune: str
    schema: str
    taken_at: str
    workspace: tuple[str, ...]
    counts: Counts
    elsewhere: tuple[str, ...]
    files: tuple[Entry, ...]

    def write(self, folder: Path) -> None:
        """Write it into ``folder``, which makes the backup whole."""
        write_json(folder / NAME, asdict(self))

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(entry.bytes for entry in self.files)


def count(session: Session) -> Counts:
    """Count what a person would miss."""

    def rows(table: type[Asset | Attribute | Annotation | Version | User]) -> int:
        return session.scalar(select(func.count()).select_from(table)) or 0

    return Counts(rows(Asset), rows(Attribute), rows(Annotation), rows(Version), rows(User))


def read(folder: Path) -> Manifest:
    """The manifest in ``folder``. Raises DataError where there is none, or it is not one that this Attune reads."""
    path = folder / NAME
    if not path.is_file():
        raise DataError(
            f"{folder} is not a whole backup: it has no {NAME}, which is written last. Name the folder that "
            "`attune backup` wrote. If that stopped before its end, take a new backup."
        )
    try:
        stored = json.loads(path.read_text())
        if stored["format"] > FORMAT:
            raise DataError(
                f"{folder} was made by Attune {stored['attune']}, in format {stored['format']}. This Attune reads "
                f"up to format {FORMAT}. Install Attune {stored['attune']} or newer, and restore again."
            )
        return Manifest(
            **{
                **stored,
                "counts": Counts(**stored["counts"]),
                "workspace": tuple(stored["workspace"]),
                "elsewhere": tuple(stored["elsewhere"]),
                "files": tuple(Entry(**entry) for entry in stored["files"]),
            }
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is damaged: it is not the list of a backup's files. Use another backup.") from error


def check_inside(folder: Path, files: Sequence[Entry]) -> None:
    """Raise DataError where the manifest names a file outside of the backup's ``folder``."""
    for entry in files:
        if not (folder / entry.path).resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{folder / NAME} names {entry.path}, which is outside of the backup. Use another backup.")
