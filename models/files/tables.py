"""Tables that people bring: CSV with commas, semicolons or tabs, JSON, JSON lines, Parquet and Arrow, by one reader.

Every row is there, as cells or with what is wrong with it; a table that cannot be read whole is refused with the line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attune.models.errors import DataError
from attune.models.files import delimited
from attune.models.files.arrow_tables import BINARY, read_arrow
from attune.models.files.cell_ids import tidy
from attune.models.files.table_rows import Row, Table, check_once
from attune.models.reasons import reason

NO_JSON = object()  # in the place of a line that is none
MOST_BROKEN = 1000  # lines that are no JSON, each told by its number
MARKS = b"\xef\xbb\xbf\xff\xfe \r\n\t"


def read_table(content: bytes, names: Sequence[str], most_rows: int | None = None) -> Table:
    """The table in ``content``, of whatever format; ``names`` are columns that its header may have.

    ``most_rows`` is the most that a Parquet or Arrow file may hold, which unpack to a thousand times their size. Of
    those, columns of other types than texts, numbers, booleans and dates are left out, or refused if in ``names``.
    Raises DataError where it is no table as a whole: its message goes on after the file's name.
    """
    if content.startswith(BINARY):
        return read_arrow(content, names, most_rows)
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
    check_once(columns)
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
