"""Titles and keys of a pool's rows, kept in the workspace's cache until an asset or the vectors' ids change.

Reading two million assets takes a dozen seconds, and every learning round and search needs them. The files are mapped,
so that workers share them.
"""

from __future__ import annotations

import hashlib
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

log = logging.getLogger("attune.assets")
WORTH = 20_000  # rows; fewer are read from the records as fast
FOLDER = "pool-rows"

Rows = tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]


def kept(
    settings: Settings, session: Session, encoder: str, ids: npt.NDArray[np.str_], read: Callable[[], Rows]
) -> Rows:
    """What ``read`` says of ``ids`` (N,): titles (N,) and keys (N,); from the files of ``encoder`` while they hold.

    They hold for the same ids in the same order and the same assets, by their stamp. A session that may have written
    asks the records, as its assets may never be.
    """
    folder = settings.workspace / "cache" / FOLDER / encoder
    if len(ids) < WORTH:
        _clean(folder)
        return read()
    stamp = asset_stamp.read(session) if only_reads(session) else None
    if stamp is None:
        return read()
    name = f"{stamp}-{_digest(ids)}"
    found = _mapped(folder, name, len(ids))
    if found is not None:
        return found
    rows = read()
    _clean(folder)
    _drop_former(settings, session, encoder)
    try:
        _write(folder, name, rows)
    except OSError as error:  # a full disk costs time alone
        log.warning("the titles of the pool are not kept: %s", error.strerror)
        _clean(folder)
        return rows
    return _mapped(folder, name, len(ids)) or rows


def _digest(ids: npt.NDArray[np.str_]) -> str:
    said = hashlib.sha256(f"{ids.dtype.str} {len(ids)} ".encode())
    said.update(np.ascontiguousarray(ids).view(np.uint8).data)
    return said.hexdigest()[:32]


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.titles.npy", folder / f"{name}.keys.npy"


def _mapped(folder: Path, name: str, count: int) -> Rows | None:
    try:
        titles, keys = (np.load(path, mmap_mode="r", allow_pickle=False) for path in _paths(folder, name))
    except (OSError, ValueError, EOFError):  # not there, taken away by a newer one meanwhile, or cut short
        return None
    return (np.asarray(titles), np.asarray(keys)) if titles.shape == keys.shape == (count,) else None


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
