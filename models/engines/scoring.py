"""Feature values of vectors on an engine: the same rows by our own process and by Ray Data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.models.catalog import feature_values
from attune.models.catalog.manifest import Manifest
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.engines.ray_data import map_tables
from attune.models.engines.table_errors import Work

Vectors = tuple[pa.Array, pa.Array, npt.NDArray[np.float32]]  # ids (n,), titles (n,), vectors (n, d)


@dataclass(frozen=True)
class Scorer:
    """Scores vectors with one version; ``at`` is what its rows are of."""

    manifest: Manifest
    probe: ProbeWeights
    at: datetime

    def rows(self, batch: Vectors) -> pa.RecordBatch:
        """The feature values of one batch."""
        ids, titles, x = batch
        return feature_values.rows(self.manifest, ids, titles, self.probe.logits(x), self.at)

    def of_table(self, table: pa.Table) -> pa.Table:
        """The feature values of a table of ids, titles and vectors."""
        ids, titles = (table.column(name).combine_chunks() for name in ("asset_id", "title_id"))
        return pa.Table.from_batches([self.rows((ids, titles, matrix(table, "vector")))])


def scored(engine: str, scorer: Scorer, batches: Iterable[Vectors]) -> Iterator[pa.RecordBatch]:
    """The feature values of each batch, in order, by ``engine``. Raises as `map_tables` does."""
    if engine != "ray":
        yield from map(scorer.rows, batches)
        return
    tables = (
        pa.table({"asset_id": ids, "title_id": titles, "vector": as_column(x)}) for ids, titles, x in batches if len(x)
    )
    for table in map_tables(partial(_work, scorer), tables):
        yield from table.cast(feature_values.schema_of(scorer.manifest)).combine_chunks().to_batches()


def _work(scorer: Scorer) -> Work:
    return scorer.of_table


def as_column(x: npt.NDArray[np.float32]) -> pa.FixedSizeListArray:
    """A matrix (n, d) as Arrow's lists of one length, without a copy where it is contiguous."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(x).reshape(-1)), x.shape[1])


def matrix(table: pa.Table, name: str) -> npt.NDArray[np.float32]:
    """A column of lists of one length as a matrix (n, d)."""
    column = table.column(name).combine_chunks()
    values: npt.NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), -1)
