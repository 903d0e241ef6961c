"""Parquet and Arrow files that people bring: their rows, or DataError before a small file becomes gigabytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.errors import DataError
from attune.models.files import unpacked
from attune.models.files.table_rows import Row, Table, check_once

MOST_UNPACKED = 512 * 2**20  # bytes of a Parquet or Arrow file
MOST_TIMES = 64  # times its own size, where its rows are not limited
MOST_ROWS = 2_000_000  # of a Parquet or Arrow file without a limit of its own; more where it has a byte for each
PARQUET, ARROW, STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
BINARY = (PARQUET, ARROW, STREAM)


def read_arrow(content: bytes, wanted: Sequence[str], most_rows: int | None) -> Table:
    """The table in a file that begins as one of ``BINARY``; arguments and errors are those of `tables.read_table`."""
    # Without a number of rows the table is as large as its file allows; a file of nothing but equal cells is a trap.
    room = MOST_UNPACKED if most_rows is not None else max(MOST_UNPACKED, MOST_TIMES * len(content))
    most = most_rows if most_rows is not None else max(MOST_ROWS, len(content))
    try:
        with pa.BufferReader(content) as source:
            is_parquet = content.startswith(PARQUET)
            schema, names, batches = _parquet(source, most, room) if is_parquet else _messages(content, room)
            check_once([str(name) for name in schema.names])
            _check_read(schema, names, wanted)
            rows: list[Row] = []
            held = 0
            for batch in batches:
                _check_size(len(rows) + batch.num_rows, len(names), most, held, room)
                chosen = batch.select(names)
                # Offsets that lead out of the batch would read this program's own memory.
                chosen.validate(full=True)
                held += unpacked.size(chosen)
                _check_size(len(rows) + batch.num_rows, len(names), most, held, room)
                columns = [_cells(column) for column in chosen.columns]
                for cells in zip(*columns, strict=True):
                    rows.append(Row(len(rows) + 1, 0, dict(zip(names, cells, strict=True))))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError("is not a Parquet or Arrow file that can be read. Write it again, or use CSV.") from error
    return Table(names, rows)


_Batches = tuple[pa.Schema, list[str], Iterator[pa.RecordBatch]]


def _parquet(source: pa.BufferReader, most_rows: int, room: int) -> _Batches:
    """The columns of the file, those that are read, and their batches, read one by one."""
    with pq.ParquetFile(source) as looked_at:
        texts = unpacked.texts(looked_at)
    file = pq.ParquetFile(source, read_dictionary=texts)
    names = unpacked.flat(file)
    told = file.metadata
    size = sum(told.row_group(place).total_byte_size for place in range(told.num_row_groups))
    _check_size(told.num_rows, len(names), most_rows, size, room)
    # Few rows at a time: what they become is counted before the next ones are read.
    return file.schema_arrow, names, file.iter_batches(batch_size=1_000, columns=names)


def _messages(content: bytes, room: int) -> _Batches:
    """Batches of a stream of messages; a file is one between its marks, whose index could name a batch many times."""
    messages = content[8:] if content.startswith(ARROW) else content
    if (found := unpacked.declared(messages)) > room:
        raise _too_large(None, None, found)
    stream = pa.ipc.open_stream(messages)
    schema = stream.schema
    names = [name for name, kind in zip(schema.names, schema.types, strict=True) if unpacked.is_read(kind)]
    return schema, names, iter(stream)


def _check_read(schema: pa.Schema, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise DataError where a column that is wanted, or every column, is of a type that is not read."""
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name not in names and (name in wanted or not names):
            raise DataError(
                f"has the column {name!r} of the type {str(kind)[:80]}, which Attune does not read. Expected text, "
                "numbers, booleans or dates. Convert the column, or use CSV."
            )


def _check_size(rows: int, columns: int, most_rows: int, held: int, room: int) -> None:
    """Raise DataError before a small file becomes gigabytes: equal cells are packed to next to nothing."""
    held = max(held, unpacked.OF_A_CELL * rows * columns)
    if rows > most_rows or held > room:
        raise _too_large(rows, most_rows, held)


def _too_large(rows: int | None, most_rows: int | None, held: int) -> DataError:
    most = f"{most_rows} rows and " if most_rows is not None else ""
    there = f"{rows} rows and " if rows is not None else ""
    return DataError(
        f"has {there}{held // 2**20} MB unpacked (allowed: {most}{MOST_UNPACKED // 2**20} MB). Split it, or "
        "leave out what you do not need."
    )


UNREADABLE = "(cannot be read)"  # stands for a cell that Python has no value for, such as a day after the year 9999


def _cells(column: pa.Array) -> list[Any]:
    """The cells as Python has them: UTF-8 bytes as text, without NUL at the end, narrow numbers with their width."""
    if pa.types.is_floating(column.type) and not pa.types.is_float64(column.type):
        return list(column.to_numpy(zero_copy_only=False))
    try:
        cells = column.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        cells = [_cell(one) for one in column]
    return [_as_text(cell) if isinstance(cell, bytes) else cell for cell in cells]


def _cell(one: pa.Scalar) -> Any:
    try:
        return one.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return UNREADABLE


def _as_text(cell: bytes) -> str | bytes:
    try:
        return cell.rstrip(b"\0").decode("utf-8-sig")
    except UnicodeDecodeError:
        return cell
