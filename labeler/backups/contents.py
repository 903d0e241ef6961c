"""What a workspace holds, and what of it a backup takes along. A test holds the how-to's table against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORDS = "records.sqlite"
LABEL_STUDIO = "label-studio"
LABEL_STUDIO_DATABASE = f"{LABEL_STUDIO}/label_studio.sqlite3"
VECTORS = "vectors"
INDEX = "index.json"  # of a folder of vectors: it names the shards that count
IMAGES = "images"
CATALOG = "catalog"
DATABASE_SIDES = ("-wal", "-shm", "-journal")  # SQLite's own, beside a database: the snapshot needs none


@dataclass(frozen=True)
class Part:
    """One file or folder of a workspace. ``again``: Attune can make it again, so a backup may do without it."""

    name: str
    again: bool = False


# Files are copied before the records and again after them: what the records name was there before, or came since.
# Label Studio comes after the records: an answer that is in its database alone is read at the next sync, but one that
# the records alone have would look deleted. Vectors come last, as an index and its shards go together.
PARTS = (
    Part(RECORDS),
    Part(LABEL_STUDIO),
    Part("secrets.json"),
    Part("settings.json"),
    Part("erased.json"),
    Part(CATALOG),
    Part(IMAGES),
    Part("sample-catalogue"),
    Part("clusters"),
    Part("features"),
    Part("imported-features"),
    Part("performance"),
    Part("members"),
    Part("maps"),
    Part("access-log"),
    Part("spaces", again=True),
    Part(VECTORS, again=True),
)
# Waiting jobs are asked for again, the rest is of this moment or is made again.
LEFT_OUT = ("redis", "cache", "logs", "imports", "uploads")


def taken(without_vectors: bool) -> tuple[Part, ...]:
    """The parts that a backup takes along."""
    return tuple(part for part in PARTS if not (without_vectors and part.again))


def files(workspace: Path, part: Part) -> Iterator[str]:
    """The files of ``part``, relative to ``workspace``, as they are now: no databases, locks or half-written files.

    A part may be a link, as of images that moved to a larger disk. Links below it are not followed and not taken
    (`links`): what they lead to is not the workspace's.
    """
    top = workspace / part.name
    if top.is_file():
        yield part.name
        return
    if not top.is_dir():
        return
    for place, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(place, name)))
        for name in sorted(names):
            path = Path(place, name)
            if not path.is_symlink() and not _unfinished(name) and not _of_a_database(part, name):
                yield str(path.relative_to(workspace))


def links(workspace: Path, part: Part) -> Iterator[str]:
    """The links below ``part``, relative to ``workspace``: a backup does without what they lead to."""
    for place, folders, names in os.walk(workspace / part.name):
        for name in (*folders, *names):
            path = Path(place, name)
            if path.is_symlink():
                yield str(path.relative_to(workspace))


def _unfinished(name: str) -> bool:
    return name.endswith(".lock") or (name.startswith(".") and name.endswith(".part"))


def _of_a_database(part: Part, name: str) -> bool:
    database = Path(LABEL_STUDIO_DATABASE).name
    return part.name == LABEL_STUDIO and name in {database, *(database + side for side in DATABASE_SIDES)}
