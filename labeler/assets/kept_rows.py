"""Ids, titles and keys of a pool's rows, kept in the workspace's cache until an asset or the vectors change.

Reading two million assets takes a dozen seconds, and every learning round and search needs them. The files are mapped,
so that workers share them, and no process holds two million ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from sqlalchemy.orm import Session

from attune.labeler.records import asset_stamp
from attune.labeler.records.session import only_reads, reading
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import atomic_writer
from attune.models.reasons import reason
from attune.models.vectors.vector_store import Vectors, VectorStore

log = logging.getLogger("attune.assets")
WORTH = 20_000  # rows; fewer are read from the records as fast
MOST_BYTES = 2**30  # of one pool's files: two million ids and titles of 66 characters each; an id may have 255
PATIENCE_SECONDS = 60  # for another process that reads the same rows
FOLDER = "pool-rows"

Texts = npt.NDArray[np.str_]
Rows = tuple[Texts, Texts, npt.NDArray[np.int64]]


def kept(
    settings: Settings,
    session: Session,
    fingerprint: Fingerprint,
    vectors: Vectors,
    read: Callable[[], tuple[Texts, npt.NDArray[np.int64]]],
) -> Rows:
    """The ids (N,) of ``vectors``, and what ``read`` says of them: titles (N,) and keys (N,); from the files of the
    encoder ``fingerprint`` while they hold.

    They hold for the same shards of vectors and the same assets, by their stamp. A session that may have written asks
    the records, as its assets may never be. One process at a time reads the records for all.
    """
    folder = settings.workspace / "cache" / FOLDER / fingerprint.digest
    if len(vectors) < WORTH:
        _give_up(settings, folder)
        return vectors.ids, *read()
    stamp = asset_stamp.read(session) if only_reads(session) else None
    if stamp is None:
        return vectors.ids, *read()
    name = f"{stamp}-{vectors.state[:32]}"
    rows = _mapped(folder, name, len(vectors))
    if rows is not None:
        return rows
    if vectors.ids.nbytes > MOST_BYTES:  # nobody waits for files that would be too large to be kept
        return vectors.ids, *read()
    try:
        with _lock(settings):
            rows = _mapped(folder, name, len(vectors))  # another process may have written them meanwhile
            if rows is None:
                rows = vectors.ids, *read()
                if _is_newest(settings, fingerprint, stamp, vectors):
                    _clean(folder.parent, stamp, folder / name)
                    _write(folder, name, rows)
                    rows = _mapped(folder, name, len(vectors)) or rows
    except OSError as error:  # a full disk, or a process that reads for too long, costs time alone
        log.warning("the titles of the pool are not kept: %s", _why(error))
    return (vectors.ids, *read()) if rows is None else rows


def _why(error: OSError) -> str:
    return "another process reads them" if isinstance(error, Timeout) else reason(error)


def _lock(settings: Settings) -> FileLock:
    """The lock of whoever writes or deletes files here."""
    folder = settings.workspace / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{FOLDER}.lock", timeout=PATIENCE_SECONDS)


def _is_newest(settings: Settings, fingerprint: Fingerprint, stamp: str, vectors: Vectors) -> bool:
    """Whether nothing came since: of an older state nothing is kept, as it would take the place of a newer one."""
    if VectorStore(settings.vectors).state(fingerprint) != vectors.state:
        return False
    with reading(settings) as session:
        return asset_stamp.read(session) == stamp


def _paths(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.{column}.npy" for column in ("ids", "titles", "keys")]


def _mapped(folder: Path, name: str, count: int) -> Rows | None:
    try:
        ids, titles, keys = (np.load(path, mmap_mode="r", allow_pickle=False) for path in _paths(folder, name))
    except (OSError, ValueError, EOFError):  # not there, taken away by a newer one meanwhile, or cut short
        return None
    if not ids.shape == titles.shape == keys.shape == (count,):
        return None
    return np.asarray(ids), np.asarray(titles), np.asarray(keys)


# -- inside the lock ---------------------------------------------------------------------------------------------------
def _write(folder: Path, name: str, rows: Rows) -> None:
    if sum(column.nbytes for column in rows) > MOST_BYTES:
        return
    try:
        for path, column in zip(_paths(folder, name), rows, strict=True):
            with atomic_writer(path) as file:
                np.save(file, column, allow_pickle=False)
    except OSError:
        _delete(_paths(folder, name))
        raise


def _clean(every: Path, stamp: str, now: Path) -> None:
    """Delete what no process will ask for again: of former assets, and of former vectors of the encoder of ``now``.

    What other encoders have of the same assets stays. Who has a deleted file mapped keeps it.
    """
    for path in every.glob("*/*"):
        former = path.parent == now.parent and not path.name.startswith(now.name)
        if former or not path.name.startswith(stamp):
            _delete([path])


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _give_up(settings: Settings, folder: Path) -> None:
    """Keep nothing of a pool that became small."""
    if folder.exists():
        with suppress(OSError), _lock(settings):
            _delete(folder.iterdir())
            folder.rmdir()
