"""Where each image is on a map: one Arrow file for each state of a map, named by its own sha256, in the workspace.

Columns: ``key`` (int64, the asset's key in the records, ascending), ``x`` and ``y`` (uint16, from 0 to 65,535). The
landmarks are a file of their own beside it.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.files.arrow_files import read_columns
from attune.models.files.atomic import digest_bytes, keep_bytes
from attune.models.maps.placing import Landmarks, Places

SCHEMA = pa.schema([("key", pa.int64()), ("x", pa.uint16()), ("y", pa.uint16())])
WHAT = (
    "It says where the images are on the map. Restore it from a backup, or make the map again: `attune map make --anew`"
)
KEPT_SECONDS = 86_400  # of a file that no map names any more: an open page may still ask by it


@dataclass(frozen=True, eq=False)
class Positions:
    """``keys`` (n,) ascending, and where each is: ``places`` (n, 2)."""

    keys: npt.NDArray[np.int64]
    places: Places

    def with_others(self, keys: npt.NDArray[np.int64], places: Places) -> Positions:
        """These and others; a key that is here already keeps its place."""
        new = ~np.isin(keys, self.keys)
        both = np.concatenate([self.keys, keys[new]])
        order = np.argsort(both, kind="stable")
        return Positions(both[order], np.concatenate([self.places, places[new]])[order])


NONE = Positions(np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.uint16))


def save(settings: Settings, positions: Positions) -> str:
    """Keep ``positions`` and return the digest that finds them; the same positions give the same file."""
    columns = [positions.keys, positions.places[:, 0], positions.places[:, 1]]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(pa.record_batch(arrays, SCHEMA))
    return _keep(settings, sink.getvalue().to_pybytes(), ".arrow")


def load(settings: Settings, digest: str) -> Positions:
    """The positions that ``save`` kept, mapped. Raises DataError where the file is gone or damaged."""
    return _read(str(_place(settings, digest, ".arrow")))


@lru_cache(maxsize=4)  # immutable, and a page asks several times
def _read(path: str) -> Positions:
    key, x, y = read_columns(Path(path), SCHEMA.names, WHAT).values()
    return Positions(key, np.stack([x, y], axis=1))


def save_landmarks(settings: Settings, landmarks: Landmarks) -> str:
    """Keep the fixed points of a map and return the digest that finds them."""
    return _keep(settings, landmarks.to_bytes(), ".safetensors")


def load_landmarks(settings: Settings, digest: str) -> Landmarks:
    """The landmarks that ``save_landmarks`` kept. Raises DataError where the file is gone or damaged."""
    path = _place(settings, digest, ".safetensors")
    try:
        return Landmarks.from_bytes(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(
            f"The file {path} does not exist. It holds the map's fixed points. Restore it from a backup, or make the "
            "map again: `attune map make --anew`"
        ) from error


def forget(settings: Settings, named: Collection[str]) -> None:
    """Delete older files of positions whose digest is not ``named``."""
    oldest = time.time() - KEPT_SECONDS
    for path in _folder(settings).glob("*.arrow"):
        with suppress(FileNotFoundError):  # another job has just deleted it
            if path.stem not in named and path.stat().st_mtime < oldest:
                path.unlink()


def _keep(settings: Settings, content: bytes, suffix: str) -> str:
    digest = digest_bytes(content)
    keep_bytes(_place(settings, digest, suffix), content, digest)
    return digest


def _place(settings: Settings, digest: str, suffix: str) -> Path:
    return _folder(settings) / f"{digest}{suffix}"


def _folder(settings: Settings) -> Path:
    return settings.workspace / "maps"
