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
from attune.models.files import delimited, unpacked
from attune.models.files.cell_ids import tidy
from attune.models.reasons import reason

MOST_UNPACKED = 512 * 2**20  # bytes of a Parquet or Arrow file
MOST_TIMES = 64  # times its own size, where its rows are not limited
MOST_ROWS = 2_000_000  # of a Parquet or Arrow file without a limit of its own; more where it has a byte for each
PARQUET, ARROW, STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
BINARY = (PARQUET, ARROW, STREAM)
NO_JSON = object()  # in the place of a line that is none
MOST_BROKEN = 1000  # lines that are no JSON, each told by its number
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

    ``most_rows`` is the most that a Parquet or Arrow file may hold, which unpack to a thousand times their size. Of
    those, columns of other types than texts, numbers, booleans and dates are left out, or refused if in ``names``.
    Raises DataError where it is no table as a whole: its message goes on after the file's name.
    """
    if content.startswith(BINARY):
        return _arrow(content, names, most_rows)
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

    A line that is none is NO_JSON in its place. Raises DataError where nothing is JSON, or MOST_BROKEN lines are none.
    """
    text = delimited.decoded(content).strip()
    try:
        held = json.loads(text, object_pairs_hook=_paired)
    except RecursionError as error:
        raise DataError("looks like JSON but is nested too deeply. Export it again.") from error
    except ValueError as error:
        why = f"looks like JSON but is not: {reason(error)}. Export it again."
    else:
        return (held, [0] * len(held)) if isinstance(held, list) else ([held], [1])
    if text.startswith("["):
        raise DataError(why)
    values, lines, broken = [], [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            values.append(_value(line))
            lines.append(number)
            broken += values[-1] is NO_JSON
            if broken == MOST_BROKEN:
                raise DataError(f"has {broken:,} lines that are not JSON, the last is line {number}. Export it again.")
    if not any(isinstance(value, dict) for value in values):
        raise DataError(why)
    return values, lines


def _value(line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_paired)
    except (ValueError, RecursionError):  # kept, it would hold its traceback, and a million of them minutes
        return NO_JSON


def from_objects(values: Sequence[Any], lines: Sequence[int]) -> Table:
    """The table whose rows are ``values``, objects of JSON; a name that an object lacks is an empty cell."""
    names = list(dict.fromkeys(name for value in values if isinstance(value, Mapping) for name in value))
    rows = []
    for number, (value, line) in enumerate(zip(values, lines, strict=True), 1):
        wrong = ""
        if value is NO_JSON:
            wrong = "no JSON"
        elif not isinstance(value, Mapping):
            wrong = "no row of a table"
        elif isinstance(value, Repeated):
            wrong = "a name appears twice"
        detail = f"(line {line})" if wrong and line else ""
        rows.append(Row(number, line, value if isinstance(value, Mapping) else {}, wrong, detail))
    return Table(names, rows)


# -- Arrow -------------------------------------------------------------------------------------------------------------
def _arrow(content: bytes, wanted: Sequence[str], most_rows: int | None) -> Table:
    # Without a number of rows the table is as large as its file allows; a file of nothing but equal cells is a trap.
    room = MOST_UNPACKED if most_rows is not None else max(MOST_UNPACKED, MOST_TIMES * len(content))
    most = most_rows if most_rows is not None else max(MOST_ROWS, len(content))
    try:
        with pa.BufferReader(content) as source:
            is_parquet = content.startswith(PARQUET)
            schema, names, batches = _parquet(source, most, room) if is_parquet else _messages(content, room)
            _once([str(name) for name in schema.names])
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
