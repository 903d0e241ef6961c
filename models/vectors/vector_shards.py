"""The shards of a folder of vectors, and the index that names them, on disk; `vector_store` has the rules."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.atomic import canonical_json, write_json, written_aside

T = TypeVar("T")
HalfArray = npt.NDArray[np.float16]
METADATA = b"attune.fingerprint"


@dataclass(frozen=True)
class Index:
    """Which shards count, in order; ``removals`` counts the writes that took rows away."""

    fingerprint: Fingerprint
    shards: tuple[tuple[str, int], ...] = ()  # file name and rows
    removals: int = 0


def read_index(folder: Path) -> Index | None:
    """The index of a folder; None where it has none."""
    try:
        held = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    shards = tuple((shard["file"], shard["rows"]) for shard in held["shards"])
    return Index(Fingerprint.from_dict(held["fingerprint"]), shards, held["removals"])


def commit(folder: Path, index: Index) -> None:
    """Make ``index`` the one that counts, then delete what it does not name."""
    described = index.fingerprint.to_dict()
    if not (folder / "fingerprint.json").exists():
        write_json(folder / "fingerprint.json", described)
    shards = [{"file": name, "rows": rows} for name, rows in index.shards]
    write_json(folder / "index.json", {"fingerprint": described, "shards": shards, "removals": index.removals})
    named = {name for name, _ in index.shards}
    for path in [*folder.glob("*.arrow"), *folder.glob(".*.part")]:
        if path.name not in named:
            with suppress(FileNotFoundError):
                path.unlink()


def write_shard(folder: Path, fingerprint: Fingerprint, ids: Any, matrix: HalfArray) -> tuple[str, int]:
    """Write rows as a new shard, which counts when an index names it; its file name and rows."""
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    values = pa.array(np.ascontiguousarray(matrix).reshape(-1), pa.float16())
    vectors = pa.FixedSizeListArray.from_arrays(values, fingerprint.dimension)
    schema = pa.schema(
        [pa.field("id", pa.string(), nullable=False), pa.field("vector", vectors.type, nullable=False)],
        metadata={METADATA: canonical_json(fingerprint.to_dict())},
    )
    name = f"{secrets.token_hex(8)}.arrow"
    with written_aside(folder / name) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch([ids, vectors], schema=schema))
    return name, len(matrix)


def without(folder: Path, index: Index, gone: pa.Array) -> tuple[tuple[tuple[str, int], ...], int]:
    """The shards of ``index`` without the rows of some ids, written afresh where they had any; and how many rows."""
    kept: list[tuple[str, int]] = []
    removed = 0
    for name, rows in index.shards:
        table = map_shard(folder / name)
        stays = np.flatnonzero(~pc.is_in(table["id"], gone).to_numpy(zero_copy_only=False))
        removed += rows - len(stays)
        if len(stays) == rows:
            kept.append((name, rows))
        elif len(stays):
            rest = matrices(table)[0][stays]
            kept.append(write_shard(folder, index.fingerprint, table["id"].take(stays), rest))
    return tuple(kept), removed


def mapped(folder: Path) -> list[pa.Table]:
    """The shards of the index as it stands."""
    return retried(folder, lambda index: [map_shard(folder / name) for name, _ in index.shards]) or []


def retried(folder: Path, look: Callable[[Index], T]) -> T | None:
    """``look`` at the newest index; None without one. A writer may delete a shard between the two: then look again.

    Raises DataError where the index names files that stay away.
    """
    for _ in range(20):
        index = read_index(folder)
        try:
            return None if index is None else look(index)
        except FileNotFoundError:
            continue
    raise DataError(
        f"The index in {folder} names files that do not exist. Restore the folder from a backup, or move it "
        "away and embed the images again: `attune assets add PATH`"
    )


def map_shard(path: Path) -> pa.Table:
    """A shard, mapped and not copied."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def matrices(table: pa.Table) -> list[HalfArray]:
    """The vector column as (n, d) float16 views of the mapped file, one a chunk; ours have one chunk."""
    width = table.schema.field("vector").type.list_size
    return [chunk.flatten().to_numpy(zero_copy_only=True).reshape(-1, width) for chunk in table["vector"].chunks]
