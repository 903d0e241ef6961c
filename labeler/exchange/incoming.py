"""Read a labelled set: CSV, Parquet, our JSON or Label Studio's, into rows that still have to be checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labeler.exchange import studio, tables
from models.clock import parse
from models.errors import DataError
from models.reasons import reason

PARQUET_MARK = b"PAR1"
CLASS_NAMES = ("class", "value", "label")


@dataclass(frozen=True)
class Columns:
    """How a table names what is needed; None takes the usual name. ``default_expert`` stands in for an empty cell."""

    asset: str | None = None
    expert: str | None = None
    value: str | None = None
    answered_at: str | None = None
    default_expert: str | None = None


@dataclass(frozen=True)
class Given:
    """One row as it was read: ``number`` counts from 1; ``wrong`` says in a few words why it cannot be used."""

    number: int
    asset_id: str = ""
    expert: str = ""
    value: str = ""
    answered_at: datetime | None = None
    updated_at: datetime | None = None
    wrong: str = ""


def read(
    content: bytes,
    columns: Columns,
    classes: Sequence[str],
    people: Mapping[tuple[int, int], str],
) -> list[Given]:
    """The rows of a file, whatever of the four formats it is in; which one is told by its content.

    Raises DataError where the file as a whole cannot be read, or lacks a column.
    """
    head = content[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head:
        raise DataError("The file is empty; expected rows with asset_id, expert and class.")
    if content.startswith(PARQUET_MARK):
        return list(_rows(tables.read_parquet(content), columns))
    if head[:1] in (b"[", b"{"):
        return list(_json(content, columns, classes, people))
    return list(_rows(tables.read_csv(content), columns))


def _json(
    content: bytes, columns: Columns, classes: Sequence[str], people: Mapping[tuple[int, int], str]
) -> Iterator[Given]:
    try:
        held = json.loads(content)
    except RecursionError as error:
        raise DataError("The file looks like JSON and is nested too deeply for one. Export it again.") from error
    except ValueError as error:
        raise DataError(f"The file looks like JSON and is none: {reason(error)}. Export it again.") from error
    if isinstance(held, Mapping):
        if not isinstance(held.get("labels"), list):
            raise DataError('The JSON has no list "labels"; expected an export of Attune, or Label Studio\'s JSON.')
        yield from _rows(held["labels"], columns)
        return
    if held and all(isinstance(task, Mapping) and "data" not in task for task in held):
        yield from _rows(held, columns)
        return
    for number, row in enumerate(studio.rows_of(held, classes, people), 1):
        yield Given(number, wrong=row) if isinstance(row, str) else _given(number, row, Columns(), columns)


def _rows(rows: Iterable[Any], columns: Columns) -> Iterator[Given]:
    names: Columns | None = None
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            yield Given(number, wrong="no row of a table")
            continue
        names = names or _named(row, columns)
        yield _given(number, row, names, columns)


def _named(row: Mapping[str, Any], columns: Columns) -> Columns:
    """The columns by their names in this file. Raises DataError for one that is not there."""
    value = columns.value or next((name for name in CLASS_NAMES if name in row), CLASS_NAMES[0])
    found = Columns(columns.asset or "asset_id", columns.expert or "expert", value, columns.answered_at)
    needed = [("asset", found.asset), ("class", value)]
    if columns.expert or not columns.default_expert:
        needed.append(("expert", found.expert))
    if columns.answered_at:
        needed.append(("answered-at", columns.answered_at))
    for option, name in needed:
        if name not in row:
            there = ", ".join(_text(key) for key in row)
            raise DataError(
                f"columns: there is no {name!r}; the file has {there[:300]}. Name it with --{option}-column, or "
                "rename it. Needed are asset_id, expert and class."
            )
    return found


def _given(number: int, row: Mapping[str, Any], names: Columns, columns: Columns) -> Given:
    try:
        answered = _moment(row.get(names.answered_at or "answered_at"))
        updated = _moment(row.get("updated_at")) if names.answered_at is None else None
    except ValueError:
        return Given(number, _text(row.get(names.asset or "asset_id")), wrong="not a time")
    return Given(
        number,
        _text(row.get(names.asset or "asset_id")),
        _text(row.get(names.expert or "expert")) or (columns.default_expert or ""),
        _text(row.get(names.value or "class")),
        answered or updated,
        updated or answered,
    )


def _text(value: Any) -> str:
    # JSON may hold half of a pair of surrogates, which no database takes: it is then no name that anybody has.
    return "" if value is None else str(value).strip().encode("utf-8", "replace").decode()


def _moment(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return parse(str(value).strip())
