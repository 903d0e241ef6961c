"""The engine's seam: what Ray maps over tables, mapped here, after the journey on which Ray would send it; a pool."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from attune.labeler import settings as reader
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.engines import assigning, embedding, scoring
from attune.models.engines.ray_data import Share
from attune.models.engines.table_errors import Work, checked, guarded
from tests.support import factories


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


@contextmanager
def one_image_gone(folder: Path, count: int, gone: int) -> Iterator[Settings]:
    """A workspace of ``count`` images, of which the one at ``gone`` has vanished since. No Redis answers there."""
    settings = reader.build({}, workspace=folder, redis_url="redis://127.0.0.1:1/0")
    factories.newest(settings)
    assets = factories.add_assets(settings, count, images=True)
    Path(assets[gone].uri).unlink()
    yield settings
    engine(settings.records_url).dispose()
