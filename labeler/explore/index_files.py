"""What *Similar* reads at once instead of making it: an index's keys, titles and costs of hubs, as one Arrow file.

A file is named by its space and mark (`labeler.explore.space_index`), so that one of another pool is never taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.arrow_files import read_columns
from attune.models.files.atomic import write_bytes
from attune.models.vectors.pool import Pool
from attune.models.vectors.vector_store import VectorStore

Numbers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("key", pa.int64()),
        ("title", pa.string()),
        ("number", pa.int64()),
        ("cost", pa.float32()),
    ]
)
WHAT = "It is made again by itself."


def place(settings: Settings, space: str, mark: str) -> Path:
    """The file of a space as it is marked now."""
    return settings.workspace / "cache" / "similar" / f"{space.replace(':', '-')}.{mark}.arrow"


def save(path: Path, view: PoolView, numbers: Numbers, costs: Floats | None) -> None:
    """Keep an index: ``numbers`` (n,) of its titles and ``costs`` (n,); older files of the space go."""
    told = np.zeros(len(numbers), dtype=np.float32) if costs is None else costs
    columns = [view.pool.asset_ids.tolist(), view.keys, view.pool.title_ids.tolist(), numbers, told]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(pa.record_batch(arrays, SCHEMA))
    write_bytes(path, sink.getvalue().to_pybytes())
    for older in path.parent.glob(f"{path.name.partition('.')[0]}.*.arrow"):
        if older != path:
            older.unlink(missing_ok=True)


def load(settings: Settings, path: Path, fingerprint: Fingerprint) -> tuple[PoolView, Numbers, Floats | None] | None:
    """The view, the titles' numbers and the costs that were kept; None where nothing is that fits the vectors."""
    try:
        held = read_columns(path, SCHEMA.names, WHAT)
    except DataError:
        return None
    vectors = VectorStore(settings.vectors).read(fingerprint)
    if set(held) != set(SCHEMA.names) or len(vectors) != len(held["key"]):
        return None
    pool = Pool(vectors.ids, np.asarray(held["title"], dtype=np.str_), vectors.blocks)
    costs = np.asarray(held["cost"], dtype=np.float32)
    return PoolView(pool, held["key"], fingerprint), held["number"].astype(np.intp), costs if costs.any() else None


@dataclass(frozen=True)
class Older:
    """The newest index that was kept of a space, on the vectors of now: rows that it does not have are hidden.

    ``rows`` (n,) are where each row of ``view`` is in the file, -1 for a new one; ``mark`` is that of the file.
    """

    view: PoolView
    numbers: Numbers
    costs: Floats | None
    rows: Numbers
    mark: str


def older(settings: Settings, space: str, mark: str, fingerprint: Fingerprint, removed: Numbers) -> Older | None:
    """The index of ``space`` that was kept of another pool than ``mark``'s, by the same version or encoder.

    Without the assets ``removed`` since (keys). None where none is kept.
    """
    wanted = place(settings, space, f"{mark.partition('-')[0]}-*")
    for path in wanted.parent.glob(wanted.name):
        try:
            held = read_columns(path, SCHEMA.names, WHAT)
        except DataError:
            continue
        if set(held) != set(SCHEMA.names):
            continue
        vectors = VectorStore(settings.vectors).read(fingerprint)
        where = {name: row for row, name in enumerate(held["id"].tolist())}
        rows = np.array([where.get(name, -1) for name in vectors.ids.tolist()], dtype=np.intp)
        if not (rows >= 0).any():
            continue
        known = rows >= 0
        keys = np.where(known, held["key"][rows], -1)
        keys[np.isin(keys, removed)] = -1
        numbers = np.where(known, held["number"][rows], -1).astype(np.intp)
        costs = np.where(known, held["cost"][rows], 0).astype(np.float32)
        titles = np.where(known, np.asarray(held["title"], dtype=np.str_)[rows], "")
        view = PoolView(Pool(vectors.ids, titles, vectors.blocks), keys, fingerprint)
        return Older(view, numbers, costs if costs.any() else None, rows, path.name.split(".")[-2])
    return None
