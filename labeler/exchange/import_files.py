"""Read a labelled set: a table, our JSON or Label Studio's, into rows that still have to be checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from attune.labeler.exchange import label_studio_json
from attune.labeler.exchange.export_tables import bare
from attune.models.clock import moment
from attune.models.errors import DataError
from attune.models.files import arrow_tables, cell_ids, table_rows, tables

MOST_ROWS = 500_000
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
class ImportedRow:
    """One row as it was read: ``number`` counts from 1; ``wrong`` says in a few words why it cannot be used.

    ``detail`` is what there is to say beside it; ``line`` is where it begins in a file of text, the header's being 1.
    """

    number: int
    asset_id: str = ""
    expert: str = ""
    value: str = ""
    answered_at: datetime | None = None
    updated_at: datetime | None = None
    wrong: str = ""
    detail: str = ""
    line: int = 0


def read(
    content: bytes,
    columns: Columns,
    classes: Sequence[str],
    people: label_studio_json.People,
) -> list[ImportedRow]:
    """The rows of a file, whatever format it is in; which one is seen by its content.

    Raises DataError where the file as a whole cannot be read, or lacks a column.
    """
    if not content.strip(tables.MARKS):
        raise DataError("The file is empty. Expected rows with asset_id, expert and class.")
    try:
        if tables.looks_like_json(content):
            table: table_rows.Table | list[ImportedRow] = _json(content, columns, classes, people)
        else:
            read_in = tables.read_table(content, _likely(columns), MOST_ROWS)
            table = read_in if content.startswith(arrow_tables.BINARY) else _unguarded(read_in)
    except DataError as error:
        raise DataError(f"The file {error}") from error
    if (row_count := len(table if isinstance(table, list) else table.rows)) > MOST_ROWS:
        raise DataError(f"The file has {row_count:,} rows; at most {MOST_ROWS:,} are allowed. Split it.")
    return table if isinstance(table, list) else _rows(table, columns)


def _likely(columns: Columns) -> list[str]:
    asked = (columns.asset, columns.expert, columns.value, columns.answered_at)
    return [*(name for name in asked if name), "asset_id", "expert", *CLASS_NAMES, "answered_at"]


def _unguarded(table: table_rows.Table) -> table_rows.Table:
    """A table of a spreadsheet, without the apostrophes that our export puts before what looks like a formula."""
    rows = [replace(row, cells={bare(name): bare(cell) for name, cell in row.cells.items()}) for row in table.rows]
    return table_rows.Table([bare(name) for name in table.names], rows)


def _json(
    content: bytes, columns: Columns, classes: Sequence[str], people: label_studio_json.People
) -> table_rows.Table | list[ImportedRow]:
    values, lines = tables.objects(content)
    if len(values) == 1 and isinstance(values[0], Mapping) and "labels" in values[0]:
        values = values[0]["labels"]
        if not isinstance(values, list):
            raise DataError('is JSON without a list "labels". Expected an export of Attune, or Label Studio\'s JSON.')
        lines = [0] * len(values)
    if any(isinstance(task, Mapping) and isinstance(task.get("data"), Mapping) for task in values):
        return [
            ImportedRow(number, wrong=row) if isinstance(row, str) else _imported_row(number, row, Columns(), columns)
            for number, row in enumerate(label_studio_json.rows_of(values, classes, people), 1)
        ]
    return tables.from_objects(values, lines) if values else []


def _rows(table: table_rows.Table, columns: Columns) -> list[ImportedRow]:
    names = _find_columns(table.names, columns)
    return [
        ImportedRow(
            row.number, _asset(row.cells.get(names.asset or ""))[0], wrong=row.wrong, detail=row.detail, line=row.line
        )
        if row.wrong
        else replace(_imported_row(row.number, row.cells, names, columns), line=row.line)
        for row in table.rows
    ]


def _find_columns(there: Sequence[str], columns: Columns) -> Columns:
    """The columns by their names in this file. Raises DataError for one that is not there."""
    value = columns.value or next((name for name in CLASS_NAMES if name in there), CLASS_NAMES[0])
    matched = Columns(columns.asset or "asset_id", columns.expert or "expert", value, columns.answered_at)
    needed = [("asset", matched.asset), ("class", value)]
    if columns.expert or not columns.default_expert:
        needed.append(("expert", matched.expert))
    if columns.answered_at:
        needed.append(("answered-at", columns.answered_at))
    for option, name in needed:
        if name not in there:
            names_text = ", ".join(_text(key) for key in there)
            raise DataError(
                f"columns: {name!r} does not exist; the file has {names_text[:300]}. Name the column with "
                f"--{option}-column, or rename it. Required are asset_id, expert and class."
            )
    return matched


def _imported_row(number: int, row: Mapping[str, Any], names: Columns, columns: Columns) -> ImportedRow:
    asset_id, wrong = _asset(row.get(names.asset or "asset_id"))
    if wrong:
        return ImportedRow(number, wrong="no id", detail=wrong)
    try:
        answered = _time(row.get(names.answered_at or "answered_at"))
        updated = _time(row.get("updated_at")) if names.answered_at is None else None
    except NoTime as error:
        return ImportedRow(number, asset_id, wrong="not a time", detail=repr(str(error)[:60]))
    return ImportedRow(
        number,
        asset_id,
        _text(row.get(names.expert or "expert")) or (columns.default_expert or ""),
        _text(row.get(names.value or "class")),
        answered or updated,
        updated or answered,
    )


class NoTime(ValueError):
    """A cell that is no time; the message is its text."""


def _time(value: Any) -> datetime | None:
    try:
        return moment(value)
    except (ValueError, OverflowError, OSError) as error:
        raise NoTime(_text(value)) from error


def _asset(value: Any) -> tuple[str, str]:
    """The asset_id in a cell, and why there is none where the cell can hold no id."""
    try:
        return cell_ids.from_cell(value), ""
    except cell_ids.BadId as error:
        return (_text(value), "") if isinstance(value, str) else ("", str(error))


def _text(value: Any) -> str:
    try:
        return cell_ids.from_cell(value)
    except cell_ids.BadId:
        # JSON may hold half of a pair of surrogates, which no database takes: it is then no name that anyone has.
        return str(value).strip().encode("utf-8", "replace").decode()
