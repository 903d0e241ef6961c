"""Small files that would become gigabytes are refused before they do, and honest ones of the same formats are read."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.models.errors import DataError
from attune.models.files import unpacked
from attune.models.files.tables import read_table

CELL, ROWS = "x" * 1_000_000, 9_000
ONE_OFTEN = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array([CELL]))
FEW = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1], pa.int32()), pa.array(["a", "béta"]))


def parquet(column: pa.Array, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"asset_id": column}), out, compression="zstd", **options)
    return out.getvalue()


def arrow(column: pa.Array, stream: bool = False) -> bytes:
    out = io.BytesIO()
    batch = pa.record_batch([column], names=["asset_id"])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return out.getvalue()


def one_list(column: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays([0, len(column)], column)


TRAPS = {
    "parquet": lambda: parquet(ONE_OFTEN, store_schema=False),
    "parquet of dictionaries": lambda: parquet(ONE_OFTEN),
    "parquet of a list": lambda: parquet(one_list(ONE_OFTEN), store_schema=False),
    "arrow": lambda: arrow(ONE_OFTEN),
    "stream": lambda: arrow(ONE_OFTEN, stream=True),
    "arrow of a list": lambda: arrow(one_list(ONE_OFTEN)),
    "arrow without dictionary": lambda: arrow(pa.array(["x" * 3_000] * 200_000)),
    "arrow of views": lambda: arrow(pa.array(["x" * 3_000] * 200_000).cast(pa.string_view())),
    "parquet of wide cells": lambda: parquet(pa.array([b"x" * 1_000_000] * 100, pa.binary(1_000_000))),
    "parquet of json": lambda: parquet(pa.array(["x" * 1_000_000] * 100, pa.json_())),
    "parquet of lists": lambda: parquet(pa.array([[7] * 1_000_000] * 10)),
    "parquet of lists of nothing": lambda: parquet(pa.array([[None] * 1_000_000] * 10, pa.list_(pa.null()))),
    "parquet of a struct": lambda: parquet(pa.array([{"a": "x" * 1_000_000}] * 10)),
    "parquet of nothing": lambda: parquet(pa.nulls(3_000_000)),
    "arrow of nothing": lambda: arrow(pa.nulls(1_000_000_000)),
    "arrow of lists of nothing": lambda: arrow(one_list(pa.nulls(1_000_000_000))),
    "arrow of a dictionary of nothing": lambda: arrow(
        pa.DictionaryArray.from_arrays(pa.array([0] * 10, pa.int32()), pa.nulls(1_000_000_000))
    ),
    "arrow of booleans": lambda: arrow(
        pa.BooleanArray.from_buffers(pa.bool_(), 10**9, [None, pa.py_buffer(bytes(10**9 // 8))])
    ),
    "arrow of runs": lambda: arrow(pa.RunEndEncodedArray.from_arrays(pa.array([ROWS], pa.int32()), pa.array([CELL]))),
}


@cache
def trap(name: str) -> bytes:
    return TRAPS[name]()


@pytest.mark.parametrize("most_rows", [500_000, None])
@pytest.mark.parametrize("name", TRAPS)
def test_a_small_file_that_would_become_gigabytes_is_refused(name: str, most_rows: int | None) -> None:
    content = trap(name)
    assert len(content) < 1_000_000
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"MB unpacked|does not read"):
        read_table(content, ["asset_id"], most_rows)
    assert pa.total_allocated_bytes() - before < 10 * 2**20


@pytest.mark.parametrize("write", [parquet, arrow, lambda column: arrow(column, stream=True)])
@pytest.mark.parametrize(
    "column",
    [
        FEW,
        FEW.cast(pa.string()),
        FEW.cast(pa.string()).cast(pa.string_view()),
        pa.array([1.5, None, 2.5, 0.0]),
        pa.array([True, None, False, True]),
        pa.array([b"a", None, b"\xff", b""]),
        pa.nulls(4),
    ],
    ids=lambda column: str(column.type),
)
def test_an_honest_file_is_read_as_it_was_written(write: Any, column: pa.Array) -> None:
    wanted = [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in column.to_pylist()]
    found = [row.cells["asset_id"] for row in read_table(write(column), ["asset_id"], 10).rows]
    assert [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in found] == wanted


@pytest.mark.parametrize("write", [parquet, arrow])
@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.struct([("a", pa.string())]), pa.binary(2_000)])
def test_a_column_that_is_not_read_costs_the_others_nothing(write: Any, kind: pa.DataType) -> None:
    out = io.BytesIO()
    table = pa.table({"vector": pa.nulls(2, kind), "asset_id": ["a", "b"], "vector.x": [1, 2]})
    if write is parquet:
        pq.write_table(table, out)
    else:
        with pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    found = read_table(out.getvalue(), ["asset_id"])
    assert found.names == ["asset_id", "vector.x"]
    assert [row.cells for row in found.rows] == [{"asset_id": "a", "vector.x": 1}, {"asset_id": "b", "vector.x": 2}]
    with pytest.raises(DataError, match=r"'vector' of the type .*Expected text, numbers"):
        read_table(out.getvalue(), ["vector"])


def test_each_cell_counts_as_often_as_it_appears() -> None:
    batch = pa.record_batch([FEW, FEW.cast(pa.string()).cast(pa.string_view()).slice(0)], names=["a", "b"])
    texts = len("a") + 2 * len("béta".encode())
    assert unpacked.size(batch) == 2 * texts + 8 * unpacked.OF_A_CELL
    assert unpacked.size(batch.slice(1, 1)) == 2 * len("béta".encode()) + 2 * unpacked.OF_A_CELL


def test_a_damaged_message_is_named() -> None:
    good = arrow(pa.array(["x" * 100] * 100), stream=True)
    for place in range(0, len(good) - 8, 7):
        damaged = bytearray(good)
        damaged[place : place + 4] = b"\xff\xff\xff\x7f"
        try:
            read_table(bytes(damaged), ["asset_id"], 1000)
        except DataError:
            continue
