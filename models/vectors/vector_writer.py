"""Vectors into a file of one's own: Parquet or Arrow, with the encoder's fingerprint in the schema's metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.atomic import canonical_json
from attune.models.files.outputs import meant, user_file
from attune.models.vectors.vector_shards import METADATA

PARQUET, ARROW = {".parquet", ".pq"}, {".arrow", ".feather"}
ROW_GROUP = 8192  # vectors that are kept in memory before they are written


def check_suffix(path: Path) -> None:
    """Raise DataError unless the file's name says which of the two formats it is; a device or pipe gets Parquet."""
    path = meant(path)
    if path.exists() and not path.is_file():
        return
    if path.suffix.lower() not in PARQUET | ARROW:
        raise DataError(
            f"--to is {str(path)!r}, but vectors are written as Parquet or Arrow. Give a name that ends in "
            ".parquet or .arrow."
        )


def schema_of(fingerprint: Fingerprint) -> pa.Schema:
    """The columns ``asset_id`` (string) and ``vector`` (fixed_size_list<float16>[d]), and the fingerprint."""
    return pa.schema(
        [
            pa.field("asset_id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float16(), fingerprint.dimension), nullable=False),
        ],
        metadata={METADATA: canonical_json(fingerprint.to_dict())},
    )


class VectorWriter:
    """Takes vectors batch by batch; ``rows`` counts them."""

    def __init__(self, writer: Any, schema: pa.Schema, dimension: int) -> None:
        self.rows = 0
        self._writer, self._schema, self._dimension = writer, schema, dimension
        self._waiting: list[pa.RecordBatch] = []

    def add(self, ids: Sequence[str], vectors: npt.NDArray[Any]) -> None:
        """Write ``vectors`` (n, d) under ``ids`` (n,), as float16."""
        if not len(ids):
            return
        values = np.ascontiguousarray(vectors, dtype=np.float16).reshape(-1)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values, pa.float16()), self._dimension)
        batch = pa.record_batch([pa.array(ids, pa.string()), column], schema=self._schema)
        self._waiting.append(batch)
        self.rows += len(ids)
        if sum(one.num_rows for one in self._waiting) >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting).combine_chunks())
            self._waiting = []


@contextmanager
def vector_file(path: Path, fingerprint: Fingerprint) -> Iterator[VectorWriter]:
    """A writer into ``path``, which is there whole when the block ends well, and is not touched otherwise.

    The format is by the suffix. Raises DataError for another one.
    """
    check_suffix(path)
    schema = schema_of(fingerprint)
    make = pa.ipc.new_file if path.suffix.lower() in ARROW else pq.ParquetWriter
    with user_file(path) as file, make(file, schema) as writer:
        made = VectorWriter(writer, schema, fingerprint.dimension)
        yield made
        made.flush()
