"""Ids, titles and keys of a pool's rows, kept in the workspace's cache until an asset or the vectors change.

Reading two million assets takes a dozen seconds, and every learning round and search needs them. The files are mapped,
so that workers share them, and no process holds two million ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.records import asset_stamp
from attune.labeler.records.session import only_reads
from attune.labeler.settings import Settings
from attune.models.files.atomic import atomic_writer
from attune.models.vectors.vector_store import Vectors

log = logging.getLogger("attune.assets")
WORTH = 20_000  # rows; fewer are read from the records as fast
FOLDER = "pool-rows"

Texts = npt.NDArray[np.str_]
Rows = tuple[Texts, Texts, npt.NDArray[np.int64]]


def kept(
    settings: Settings,
    session: Session,
    encoder: str,
    vectors: Vectors,
    read: Callable[[], tuple[Texts, npt.NDArray[np.int64]]],
) -> Rows:
    """The ids (N,) of ``vectors``, and what ``read`` says of them: titles (N,) and keys (N,); from the files of
    ``encoder`` while they hold.

    They hold for the same shards of vectors and the same assets, by their stamp. A session that may have written asks
    the records, as its assets may never be.
    """
    folder = settings.workspace / "cache" / FOLDER / encoder
    if len(vectors) < WORTH:
        _clean(folder)
        return vectors.ids, *read()
    stamp = asset_stamp.read(session) if only_reads(session) else None
    if stamp is None:
        return vectors.ids, *read()
    name = f"{stamp}-{vectors.state[:32]}"
    found = _mapped(folder, name, len(vectors))
    if found is not None:
        return found
    rows = vectors.ids, *read()
    _clean(folder)
    _drop_former(settings, session, encoder)
    try:
        _write(folder, name, rows)
    except OSError as error:  # a full disk costs time alone
        log.warning("the titles of the pool are not kept: %s", error.strerror)
        _clean(folder)
        return rows
    return _mapped(folder, name, len(vectors)) or rows


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


def _write(folder: Path, name: str, rows: Rows) -> None:
    for path, column in zip(_paths(folder, name), rows, strict=True):
        with atomic_writer(path) as file:
            np.save(file, column, allow_pickle=False)


def _drop_former(settings: Settings, session: Session, encoder: str) -> None:
    """Delete what is kept of encoders that neither make the pool nor are read now."""
    active = active_encoder(session)
    used = {encoder, active.digest if active is not None else encoder}
    for folder in (settings.workspace / "cache" / FOLDER).glob("*"):
        if folder.name not in used:
            _clean(folder)
            with suppress(OSError):
                folder.rmdir()


def _clean(folder: Path) -> None:
    """Delete what is kept, whole or not; who has it mapped keeps it, and who writes it meanwhile begins again later."""
    if not folder.exists():
        return
    for old in folder.iterdir():
        with suppress(OSError):
            old.unlink()
