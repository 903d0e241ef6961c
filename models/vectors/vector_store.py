"""The vectors of the pool on disk: append-only Arrow shards of one folder per encoder, mapped and never copied.

A folder is named by the encoder's fingerprint digest and holds ``index.json`` (which shards count, in which order),
the shards, and ``fingerprint.json``. A shard is an Arrow IPC file with the columns ``id`` (string) and ``vector``
(fixed_size_list<float16>[d]) and the fingerprint in its schema's metadata, so other programs read it as it is (DuckDB
after a cast: it has no half floats). Shards never change; an append, a removal or a merge writes new ones and then
renames a new index over the old, so that a process killed at any instant leaves the state before or after. Files that
no index names are left-overs, which the next writer deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderMismatch
from attune.models.files.atomic import digest_json
from attune.models.vectors.text_arrays import text_array
from attune.models.vectors.vector_shards import (
    HalfArray,
    Index,
    commit,
    map_shard,
    mapped,
    matrices,
    read_index,
    retried,
    without,
    write_shard,
)

LOCK_SECONDS = 300
FAN_OUT = 8  # as many shards of one size class are merged into one of the next; a power of two
UNIT_TOLERANCE = 1e-2  # float16 rounds each entry to 11 bits; more than this is no unit vector


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of one encoder: ``blocks`` (n_i, d) float16, mapped, in the order of ``ids``.

    ``state`` names the shards that they are of, and so decides the ids.
    """

    tables: Sequence[pa.Table]
    blocks: tuple[HalfArray, ...]
    state: str

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    @cached_property
    def ids(self) -> npt.NDArray[np.str_]:
        """The ids (N,) str, read when they are asked for: two million take 100 MB."""
        chunks = [chunk for table in self.tables for chunk in table["id"].chunks]
        return text_array(pa.chunked_array(chunks, pa.string()))


@dataclass
class _Seen:
    """The ids of the shards looked at so far, so that an append reads only what is new."""

    removals: int = -1
    shards: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)


class VectorStore:
    """Vectors by encoder and id below one folder. Several processes may append, remove and read at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, _Seen] = {}

    def fingerprints(self) -> list[Fingerprint]:
        """The encoders that vectors are kept of."""
        found = [read_index(path.parent) for path in sorted(self.folder.glob("*/index.json"))]
        return [index.fingerprint for index in found if index is not None]

    def append(self, fingerprint: Fingerprint, ids: Sequence[str], vectors: npt.ArrayLike) -> int:
        """Keep ``vectors`` (n, d) of unit length under ``ids`` (n,), as float16; returns how many were new.

        An id that is there already keeps its vector, so appending again changes nothing. Raises EncoderMismatch for
        another d than the fingerprint's, DataError for a shape, a value or a length that no unit vector has.
        """
        matrix = _checked(fingerprint, ids, np.asarray(vectors))
        folder = self.folder / fingerprint.digest
        with self._lock(folder):
            index = read_index(folder) or Index(fingerprint)
            snapshot = self._refreshed(folder, index)
            rows = [row for row, id_ in _first_rows(ids) if id_ not in snapshot.ids]
            if not rows:
                return 0
            new = [ids[row] for row in rows]
            shard = write_shard(folder, fingerprint, pa.array(new, pa.string()), matrix[rows])
            snapshot.shards.add(shard[0])
            snapshot.ids.update(new)
            commit(folder, Index(fingerprint, (*index.shards, shard), index.removals))
            self._merge_full_classes(folder)
            return len(rows)

    def replace(self, fingerprint: Fingerprint, ids: Sequence[str], vectors: npt.ArrayLike) -> int:
        """Keep ``vectors`` (n, d) under ``ids`` (n,) in the place of those that are there; returns how many there were.

        Readers see the old ones or the new ones, never neither: one index names the shards without the old rows and
        the shard of the new ones. A row costs as much as the shard it stands in, so give many at once. Raises as
        ``append`` does.
        """
        matrix = _checked(fingerprint, ids, np.asarray(vectors))
        folder = self.folder / fingerprint.digest
        first = list(_first_rows(ids))
        if not first:
            return 0
        new = [id_ for _, id_ in first]
        with self._lock(folder):
            index = read_index(folder) or Index(fingerprint)
            kept_shards, removed = without(folder, index, pa.array(new, pa.string()))
            shard = write_shard(folder, fingerprint, pa.array(new, pa.string()), matrix[[row for row, _ in first]])
            commit(folder, Index(fingerprint, (*kept_shards, shard), index.removals + 1))
            self._merge_full_classes(folder)
            return removed

    def read(self, fingerprint: Fingerprint) -> Vectors:
        """All vectors of one encoder, mapped without a copy; none where nothing was appended."""
        folder = self.folder / fingerprint.digest

        def look(index: Index) -> tuple[str, list[pa.Table]]:
            return _state(index), [map_shard(folder / name) for name, _ in index.shards]

        state, tables = retried(folder, look) or ("", [])
        return Vectors(tables, tuple(block for table in tables for block in matrices(table)), state)

    def state(self, fingerprint: Fingerprint) -> str:
        """The ``state`` that `read` would give now."""
        index = read_index(self.folder / fingerprint.digest)
        return "" if index is None else _state(index)

    def ids(self, fingerprint: Fingerprint) -> set[str]:
        """The ids that have a vector of this encoder."""
        return set(self._known_ids(fingerprint))

    def count(self, fingerprint: Fingerprint) -> int:
        """How many ids have a vector of this encoder, without reading any."""
        index = read_index(self.folder / fingerprint.digest)
        return 0 if index is None else sum(rows for _, rows in index.shards)

    def missing(self, fingerprint: Fingerprint, ids: Iterable[str]) -> list[str]:
        """Those of ``ids`` that have no vector of this encoder, in their order."""
        there = self._known_ids(fingerprint)
        return [id_ for id_ in ids if id_ not in there]

    def lookup(self, fingerprint: Fingerprint, ids: Sequence[str]) -> dict[str, HalfArray]:
        """The vectors (d,) float16 of those of ``ids`` that are there, copied."""
        requested = pa.array(list(ids), pa.string())
        vectors: dict[str, HalfArray] = {}
        for table in mapped(self.folder / fingerprint.digest) if len(requested) else ():
            rows = np.flatnonzero(pc.is_in(table["id"], requested).to_numpy(zero_copy_only=False))
            matrix = matrices(table)[0]
            vectors.update((table["id"][int(row)].as_py(), matrix[row].copy()) for row in rows)
        return vectors

    def remove(self, ids: Iterable[str], of: Iterable[Fingerprint] | None = None) -> int:
        """Delete the vectors of ``ids`` from every encoder, or from some; returns how many. Their bytes are gone."""
        gone = pa.array(sorted(set(ids)), pa.string())
        encoders = self.fingerprints() if of is None else of
        return sum(self._remove_from(self.folder / made.digest, gone) for made in encoders)

    def compact(self, fingerprint: Fingerprint) -> None:
        """Merge all shards of one encoder into one."""
        folder = self.folder / fingerprint.digest
        with self._lock(folder):
            index = read_index(folder)
            if index is not None and len(index.shards) > 1:
                self._merge_last(folder, index, len(index.shards))

    def _known_ids(self, fingerprint: Fingerprint) -> set[str]:
        folder = self.folder / fingerprint.digest
        return retried(folder, lambda index: self._refreshed(folder, index).ids) or set()

    # -- inside the lock -------------------------------------------------------------------------------------------
    def _lock(self, folder: Path) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder.with_suffix(".lock"), timeout=LOCK_SECONDS)

    def _refreshed(self, folder: Path, index: Index) -> _Seen:
        snapshot = self._seen.get(folder.name)
        if snapshot is None or snapshot.removals != index.removals:
            snapshot = self._seen[folder.name] = _Seen(index.removals)
        for name, _ in index.shards:
            if name not in snapshot.shards:
                snapshot.ids.update(map_shard(folder / name)["id"].to_pylist())
                snapshot.shards.add(name)
        return snapshot

    def _remove_from(self, folder: Path, removed_ids: pa.Array) -> int:
        with self._lock(folder):
            index = read_index(folder)
            if index is None:
                return 0
            kept_shards, removed = without(folder, index, removed_ids)
            if removed:
                commit(folder, Index(index.fingerprint, kept_shards, index.removals + 1))
            return removed

    def _merge_full_classes(self, folder: Path) -> None:
        """Keep the shards few: FAN_OUT small ones become one of the next size class, so a row moves a few times."""
        while (index := read_index(folder)) is not None and (count := _to_merge([rows for _, rows in index.shards])):
            self._merge_last(folder, index, count)

    def _merge_last(self, folder: Path, index: Index, count: int) -> None:
        tables = [map_shard(folder / name) for name, _ in index.shards[-count:]]
        ids = pa.concat_arrays([chunk for table in tables for chunk in table["id"].chunks])
        matrix = np.concatenate([block for table in tables for block in matrices(table)])
        shard = write_shard(folder, index.fingerprint, ids, matrix)
        if folder.name in self._seen:
            self._seen[folder.name].shards.add(shard[0])
        commit(folder, Index(index.fingerprint, (*index.shards[:-count], shard), index.removals))


def _state(index: Index) -> str:
    return digest_json([index.shards, index.removals])


def _size_class(rows: int) -> int:
    """The logarithm of ``rows`` to the base FAN_OUT, rounded down."""
    return (max(rows, 1).bit_length() - 1) // (FAN_OUT.bit_length() - 1)


def _to_merge(rows: list[int]) -> int:
    """How many shards at the end make one of the next size class; 0 where none do."""
    classes = [_size_class(count) for count in reversed(rows)]
    for bound in sorted(set(classes)):
        run = next((place for place, size in enumerate(classes) if size > bound), len(classes))
        if run >= FAN_OUT and _size_class(sum(rows[-run:])) > bound:
            return run
    return 0


def _first_rows(ids: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Row and id of each id's first row, in order."""
    first: dict[str, int] = {}
    for row, id_ in enumerate(ids):
        first.setdefault(id_, row)
    return ((row, id_) for id_, row in first.items())


def _checked(fingerprint: Fingerprint, ids: Sequence[str], vectors: npt.NDArray[Any]) -> HalfArray:
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise DataError(f"{len(ids)} ids have vectors of shape {vectors.shape}. Expected ({len(ids)}, d).")
    if vectors.shape[1] != fingerprint.dimension:
        raise EncoderMismatch(
            f"The vectors have {vectors.shape[1]} numbers each, but {fingerprint} makes "
            f"{fingerprint.dimension}. They are of another encoder. Use another workspace, and name their "
            "encoder with --fingerprint FILE.json."
        )
    if fingerprint.normalised and len(vectors):
        off = ~(np.abs(np.linalg.norm(vectors.astype(np.float32), axis=1) - 1) <= UNIT_TOLERANCE)
        if off.any():
            first = ids[int(np.flatnonzero(off)[0])]
            raise DataError(
                f"The vectors of {int(off.sum())} of {len(ids)} ids ({first!r} first) do not have length 1. "
                "Divide each vector by its length first."
            )
    return vectors.astype(np.float16)
