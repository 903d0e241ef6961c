"""What *Similar* reads at once instead of making it: an index's keys, titles and costs of hubs, as one Arrow file.

A file is named by its space and mark (`labeler.explore.space_index`), so that one of another pool is never taken.
"""

from __future__ import annotations

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
SCHEMA = pa.schema([("key", pa.int64()), ("title", pa.string()), ("number", pa.int64()), ("cost", pa.float32())])
WHAT = "It is made again by itself."


def place(settings: Settings, space: str, mark: str) -> Path:
    """The file of a space as it is marked now."""
    return settings.workspace / "cache" / "similar" / f"{space.replace(':', '-')}.{mark}.arrow"


def save(path: Path, view: PoolView, numbers: Numbers, costs: Floats | None) -> None:
    """Keep an index: ``numbers`` (n,) of its titles and ``costs`` (n,); older files of the space go."""
    told = np.zeros(len(numbers), dtype=np.float32) if costs is None else costs
    columns = [view.keys, view.pool.title_ids.tolist(), numbers, told]
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
