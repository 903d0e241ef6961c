"""Copy the files of a workspace while others write there: each whole, with the digest of what was written."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from attune.labeler.backups.manifest import Entry, Report
from attune.models.errors import DataError
from attune.models.files.atomic import digest_file
from attune.models.text import plural
from attune.models.vectors.vector_shards import Index, read_index

BLOCK = 1 << 20
TRIES = 10  # an append to the vectors while they are copied: copy that folder again
Tell = Callable[[int], None]


def entry_of(folder: Path, name: str) -> Entry:
    """What the manifest says of a file that lies in the backup already."""
    path = folder / name
    return Entry(name, path.stat().st_size, digest_file(path))


def copy_file(source: Path, to: Path, name: str) -> Entry:
    """Copy ``source / name`` to ``to / name``, flushed to the disk. Raises OSError."""
    target, digest, size = to / name, hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with (source / name).open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(BLOCK):
            digest.update(block)
            writing.write(block)
            size += len(block)
        writing.flush()
        os.fsync(writing.fileno())
    return Entry(name, size, digest.hexdigest())


def copy_checked(source: Path, to: Path, files: Sequence[Entry], report: Report) -> None:
    """Copy the ``files`` of the backup ``source``, each compared with its digest on the way.

    Raises DataError that names those that are missing or changed, after all were looked at.
    """
    total, done, wrong = sum(entry.bytes for entry in files), 0, []
    for entry in files:
        try:
            whole = copy_file(source, to, entry.path) == entry
        except FileNotFoundError:
            whole = False
        if not whole:
            wrong.append(entry.path)
        done += entry.bytes
        report(done, total)
    if wrong:
        named = ", ".join(wrong[:3]) + (" …" if len(wrong) > 3 else "")
        raise DataError(
            f"{plural(len(wrong), 'file', 'are')} missing or changed in the backup {source}: {named}. Nothing was "
            "restored. Use another backup, or copy this one again from where it is whole."
        )


def copy_files(source: Path, to: Path, names: Iterable[str], tell: Tell) -> Iterator[Entry]:
    """Copy those of ``names`` that are still there: one that is gone was removed, as somebody asked for."""
    for name in names:
        try:
            copied = copy_file(source, to, name)
        except FileNotFoundError:
            continue
        tell(copied.bytes)
        yield copied


def copy_vectors(source: Path, to: Path, folder: str, tell: Tell) -> list[Entry]:
    """One encoder's index and the shards that it names; copied again where the index changed meanwhile.

    Raises DataError where it changes each time.
    """
    for _ in range(TRIES):
        before = read_index(source / folder)
        if before is None:
            return []
        try:
            copied = [copy_file(source, to, f"{folder}/{name}") for name in _named(before)]
        except FileNotFoundError:
            copied = []  # merged into another shard
        if copied and read_index(source / folder) == before:
            tell(sum(entry.bytes for entry in copied))
            return copied
        shutil.rmtree(to / folder, ignore_errors=True)
    raise DataError(
        f"The vectors in {source / folder} changed each of the {TRIES} times that they were copied. Take the backup "
        "again when fewer images are being added. Or leave the vectors out: "
        "`attune backup FOLDER --without-vectors`"
    )


def _named(index: Index) -> list[str]:
    return ["fingerprint.json", "index.json", *(name for name, _ in index.shards)]
