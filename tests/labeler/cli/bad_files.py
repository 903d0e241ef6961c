"""The part of docs/reference/bad-inputs.md about tables, ids and vectors, each tried with the reader of all parts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.clock import iso, moment
from attune.models.errors import DataError
from attune.models.files import cell_ids
from attune.models.files.tables import read_table
from attune.models.vectors.vector_files import read_vectors

CELLS: list[tuple[str, Any]] = [
    ("0", 0),
    ("7.0 (a whole number that became a double)", 7.0),
    ("1e15", 1e15),
    ("1e17 (a number that large is not exact)", 1e17),
    ("decimal 7.00", Decimal("7.00")),
    ("the text 007", "007"),
    ("bytes that are UTF-8", "café".encode()),
    ("bytes that are not", b"\xff\xfe"),
    ("é as two characters (macOS)", "cafe\u0301"),
    ("a byte-order mark and spaces around it", "\ufeff a "),
    ("null, NaN, an empty text", None),
    ("true", True),
    ("a list", ["a"]),
]
TABLES: list[tuple[str, bytes]] = [
    ("a lone quotation mark in CSV", b'asset_id,note\n1,"hm\n2,x\n'),
    ("a lone quotation mark between tabs", b'asset_id\tnote\n1\t"hm\n2\tx\n'),
    ("quoted cells between tabs", b'"asset_id"\t"note"\n"1"\t"a ""b"""\n'),
    ("too few and too many fields", b"asset_id,note\n1\n2,x\n3,y,z\n"),
    ("a column twice", b"asset_id,note,asset_id\n1,x,2\n"),
    ("a field of a megabyte", b"asset_id,note\n1," + b"x" * 1_000_000 + b"\n"),
    ("blank lines, CR LF, a byte-order mark", b"\xef\xbb\xbfasset_id;note\r\n\r\n1;x\r\n;\r\n"),
    ("UTF-16, as spreadsheets write it", "asset_id\tnote\r\n1\tx\r\n".encode("utf-16")),
    ("Latin-1", b"asset_id,note\n1,caf\xe9\n"),
    ("JSON lines, one of them broken", b'{"asset_id": 1}\noops\n{"asset_id": 2}\n'),
    ("a header alone", b"asset_id,note\n"),
]
TIMES: list[tuple[str, Any]] = [
    ("1772366400", "1772366400"),
    ("1772366400000", 1772366400000),
    ("2026-03-01 12:00", "2026-03-01 12:00"),
    ("20260301", 20260301),
    ("5", 5),
    ("yesterday", "yesterday"),
]
GOOD, ALSO = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
VECTORS: list[tuple[str, pa.Array]] = [
    ("none", pa.array([GOOD, None, ALSO])),
    ("NaN or infinity", pa.array([GOOD, [np.nan, 0.0, 1.0], ALSO])),
    ("1e25", pa.array([GOOD, [1e25, 0.0, 0.0], ALSO])),
    ("zeros", pa.array([GOOD, [0.0, 0.0, 0.0], ALSO])),
    ("another length", pa.array([GOOD, [1.0], ALSO])),
    ("`[[…]]`, a batch dimension", pa.array([[GOOD], [ALSO], [ALSO]])),
    ("two lists in a row", pa.array([[GOOD], [GOOD, ALSO], [ALSO]])),
    ("a tensor column", pa.FixedShapeTensorArray.from_numpy_ndarray(np.eye(3, dtype=np.float32))),
    ("a text among lists as JSON", pa.array([str(GOOD), "n/a", str(ALSO)])),
]


def page() -> Iterator[str]:
    """The section, line by line."""
    yield "Asset tables, labels, `--vectors` and `score` read ids by one rule:\n\n| in the file | the id |\n|---|---|\n"
    for name, cell in CELLS:
        yield f"| {name} | {_id(cell)} |\n"
    yield "\nOne reader reads asset tables and labels. Each row is read or skipped:\n\n"
    yield "| in the file | read | message |\n|---|---|---|\n"
    for name, content in TABLES:
        yield f"| {name} | {_read(content)} |\n"
    yield "\nTimes of labels are ISO 8601, or seconds, milliseconds, microseconds or nanoseconds since 1970:\n\n"
    yield "| in the file | the time |\n|---|---|\n"
    for name, cell in TIMES:
        yield f"| {name} | {_time(cell)} |\n"
    yield "\nVectors, here the second of three rows (ids a, b, c):\n\n"
    yield "| in the file | used | skipped |\n|---|---|---|\n"
    for name, column in VECTORS:
        yield f"| {name} | {_used(column)} |\n"


def _id(cell: Any) -> str:
    try:
        found = cell_ids.from_cell(cell)
        return f"`{found}`" if found else "none: the row is skipped; in an asset table the file's name is the id"
    except cell_ids.BadId as error:
        return f"the row is skipped: it {error}"


def _read(content: bytes) -> str:
    try:
        table = read_table(content, ["asset_id", "note"])
    except DataError as error:
        return f"refused | The file {error}"
    read = ", ".join(f"`{row.cells['asset_id']}`" for row in table.rows if not row.wrong)
    return f"{read or 'no row'} | {'; '.join(f'{row.wrong} {row.detail}' for row in table.rows if row.wrong)}"


def _time(cell: Any) -> str:
    try:
        found = moment(cell)
        return "none" if found is None else iso(found)
    except ValueError:
        return "the row is skipped: not a time"


def _used(column: pa.Array) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.parquet"
        pq.write_table(pa.table({"id": ["a", "b", "c"], "vector": column}), path)
        read = read_vectors(path)
    return f"{', '.join(read.ids)} | {'; '.join(f'{name} {why}' for name, why in read.left_out)}"
