"""The engine's seam: what Ray maps over tables, mapped in this process, after the journey that Ray would send it on."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pytest

from attune.models.engines import assigning, embedding, scoring
from attune.models.engines.ray_data import Share
from attune.models.engines.table_errors import Work, checked, guarded


def map_here(make: Callable[[], Work], tables: Iterable[pa.Table], share: Share | None = None) -> Iterator[pa.Table]:
    """As `map_tables`, without Ray: the function is pickled, each table goes there and back as bytes."""
    work = guarded(pickle.loads(pickle.dumps(make)))  # noqa: S301 - our own bytes
    for table in tables:
        yield checked(travelled(work(travelled(table))))


def travelled(table: pa.Table) -> pa.Table:
    """``table`` after a journey as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


def without_ray(patch: pytest.MonkeyPatch) -> None:
    """Let the engine `ray` do its work in this process."""
    for module in (assigning, embedding, scoring):
        patch.setattr(module, "map_tables", map_here)
