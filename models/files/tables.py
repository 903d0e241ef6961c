"""Tables that people bring: CSV with commas, semicolons or tabs, JSON, JSON lines, Parquet and Arrow, by one reader.

Every row is there, as cells or with what is wrong with it; a table that cannot be read whole is refused with the line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.errors import DataError
from attune.models.files import delimited
from attune.models.files.cell_ids import tidy
from attune.models.reasons import reason

MOST_UNPACKED = 512 * 2**20  # bytes of a Parquet file
PARQUET, ARROW, STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
BINARY = (PARQUET, ARROW, STREAM)
MARKS = b"\xef\xbb\xbf\xff\xfe \r\n\t"


@dataclass(frozen=True)
class Row:
    """One row: ``number`` counts from 1 without the header, ``line`` is where it begins in a text, 0 elsewhere.

    ``wrong`` says in a few words why it cannot be used, ``detail`` with the numbers.
    """

    number: int
    line: int
    cells: Mapping[str, Any]
    wrong: str = ""
    detail: str = ""

    @property
    def place(self) -> str:
        """Where the row is, as a person looks for it."""
        return f"line {self.line}" if self.line else f"row {self.number}"


@dataclass(frozen=True)
class Table:
    """The columns that a table has, in order, and its rows."""

    names: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def read_table(content: bytes, names: Sequence[str], most_rows: int | None = None) -> Table:
    """The table in ``content``, of whatever format; ``names`` are columns that its header may have.

    ``most_rows`` is the most that a Parquet or Arrow file may hold, which unpack to a thousand times their size.
    Raises DataError where it is no table as a whole: its message goes on after the file's name.
    """
    if content.startswith(BINARY):
        return _arrow(content, most_rows)
    if looks_like_json(content):
        return from_objects(*objects(content))
    return _text(content, names)


def _text(content: bytes, names: Sequence[str]) -> Table:
    found = delimited.records(delimited.decoded(content), names)
    if not found:
        return Table()
    header, *records = found
    columns = [tidy(name) for name in header.cells]
    while columns and not columns[-1]:
        columns.pop()  # delimiters after the last name
    columns = [name or f"column {place}" for place, name in enumerate(columns, 1)]
    _once(columns)
    return Table(columns, [_row(number, record, columns) for number, record in enumerate(records, 1)])


def _row(number: int, record: delimited.Record, columns: Sequence[str]) -> Row:
    cells = list(record.cells)
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    made = dict(zip(columns, cells, strict=False))
    if len(cells) == len(columns):
        return Row(number, record.line, made)
    wrong = "too many fields" if len(cells) > len(columns) else "too few fields"
    return Row(
        number, record.line, made, wrong, f"(line {record.line} has {len(cells)}, the header has {len(columns)})"
    )


def _once(names: Sequence[str]) -> None:
    twice = [repr(name) for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"has the column {', '.join(twice)} more than once. Rename or delete one of them.")


# -- JSON --------------------------------------------------------------------------------------------------------------
class Repeated(dict[str, Any]):
    """An object in which a name appears twice: which of the two values was meant cannot be known."""


def _paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Repeated(made)


def looks_like_json(content: bytes) -> bool:
    """Whether the text in ``content`` begins as JSON does."""
    return content.replace(b"\0", b"").lstrip(MARKS)[:1] in (b"[", b"{")


def objects(content: bytes) -> tuple[list[Any], list[int]]:
    """The values of a JSON list, or of JSON lines, and the line of each (0 in a list); one object is a list of one.

    A line that is no JSON is an exception in its place. Raises DataError where nothing is JSON.
    """
    text = delimited.decoded(content).strip()
    try:
        held = json.loads(text, object_pairs_hook=_paired)
    except RecursionError as error:
        raise DataError("looks like JSON but is nested too deeply. Export it again.") from error
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        values = [_value(line) for _, line in lines]
        if text.startswith("[") or not any(isinstance(value, dict) for value in values):
            raise DataError(f"looks like JSON but is not: {reason(error)}. Export it again.") from error
        return values, [number for number, _ in lines]
    return (held, [0] * len(held)) if isinstance(held, list) else ([held], [1])


def _value(line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_paired)
    except (ValueError, RecursionError) as error:
        return error


def from_objects(values: Sequence[Any], lines: Sequence[int]) -> Table:
    """The table whose rows are ``values``, objects of JSON; a name that an object lacks is an empty cell."""
    names = list(dict.fromkeys(name for value in values if isinstance(value, Mapping) for name in value))
    rows = []
    for number, (value, line) in enumerate(zip(values, lines, strict=True), 1):
        wrong = ""
        if isinstance(value, Exception):
            wrong = "no JSON"
        elif not isinstance(value, Mapping):
            wrong = "no row of a table"
        elif isinstance(value, Repeated):
            wrong = "a name appears twice"
        detail = f"(line {line})" if wrong and line else ""
        rows.append(Row(number, line, value if isinstance(value, Mapping) else {}, wrong, detail))
    return Table(names, rows)


# -- Arrow -------------------------------------------------------------------------------------------------------------
def _arrow(content: bytes, most_rows: int | None) -> Table:
    try:
        with pa.BufferReader(content) as source:
            batches: Iterator[pa.RecordBatch]
            if content.startswith(PARQUET):
                file = pq.ParquetFile(source)
                _check_size(file.metadata, most_rows)
                schema, batches = file.schema_arrow, file.iter_batches(batch_size=10_000)
            elif content.startswith(ARROW):
                opened = pa.ipc.open_file(source)
                schema = opened.schema
                batches = (opened.get_batch(place) for place in range(opened.num_record_batches))
            else:
                stream = pa.ipc.open_stream(source)
                schema, batches = stream.schema, iter(stream)
            names = [str(name) for name in schema.names]
            _once(names)
            rows: list[Row] = []
            for batch in batches:
                if most_rows is not None and len(rows) + batch.num_rows > most_rows:
                    raise _too_large(len(rows) + batch.num_rows, most_rows, 0)
                columns = [_cells(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    rows.append(Row(len(rows) + 1, 0, dict(zip(names, cells, strict=True))))
    except (pa.ArrowException, OSError) as error:
        raise DataError("is not a Parquet or Arrow file that can be read. Write it again, or use CSV.") from error
    return Table(names, rows)


def _check_size(held: pq.FileMetaData, most_rows: int | None) -> None:
    """Raise DataError before a small file becomes gigabytes: equal cells are packed to next to nothing."""
    if most_rows is None:
        return
    unpacked = sum(held.row_group(place).total_byte_size for place in range(held.num_row_groups))
    if held.num_rows > most_rows or unpacked > MOST_UNPACKED:
        raise _too_large(held.num_rows, most_rows, unpacked)


def _too_large(rows: int, most_rows: int, unpacked: int) -> DataError:
    return DataError(
        f"has {rows} rows and {unpacked // 2**20} MB unpacked (allowed: {most_rows} rows and "
        f"{MOST_UNPACKED // 2**20} MB). Split it, or leave out what you do not need."
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
