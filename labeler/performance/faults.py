"""Rows of a file that were left out, by reason, with the first of them by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from attune.labeler.performance.columns import SHAPE
from attune.labeler.performance.source import Source

EXAMPLES = 5  # rows that are named for each fault
Reasons = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Fault:
    """How many rows have it, and the first of them by number; in a CSV the header is row 1. ``about`` says what is
    wrong."""

    reason: str
    rows: int
    examples: tuple[int, ...]
    about: str

    @property
    def text(self) -> str:
        """A sentence for people."""
        numbers = ", ".join(f"{number:,}" for number in self.examples)
        more = " …" if self.rows > len(self.examples) else ""
        word = "row" if self.rows == 1 else "rows"
        return f"{self.rows:,} {word} left out: {self.about} ({word} {numbers}{more})."


def rejected_rows(connection: duckdb.DuckDBPyConnection, source: Source) -> list[int]:
    """The numbers of the rows that DuckDB could not read, ascending."""
    if not source.delimiter:
        return []
    return [line for (line,) in connection.execute("SELECT DISTINCT line FROM reject_errors ORDER BY line").fetchall()]


def shape_fault(rejected: Sequence[int]) -> list[Fault]:
    """The fault of ``rejected`` rows, if there are any."""
    reason, about = SHAPE
    return [Fault(reason, len(rejected), tuple(rejected[:EXAMPLES]), about)] if rejected else []


def fault_of(
    connection: duckdb.DuckDBPyConnection, reason: str, about: str, lines: str, rejected: Sequence[int], source: Source
) -> list[Fault]:
    """The fault of the rows that the SQL ``lines`` selects, if there are any: numbers of what was read, from 1."""
    (count,) = connection.execute(f"SELECT count(*) FROM ({lines})").fetchall()[0]
    if not count:
        return []
    first = connection.execute(f"{lines} ORDER BY line LIMIT {EXAMPLES}").fetchall()
    return [Fault(reason, count, tuple(_row_number(line, rejected, source) for (line,) in first), about)]


def find_faults(
    connection: duckdb.DuckDBPyConnection, table: str, source: Source, reasons: Reasons, doubled: tuple[str, str]
) -> tuple[list[Fault], int]:
    """The faults of the rows in ``table`` and those of ``doubled``, and how many rows could not be read at all.

    ``table`` has ``line`` and ``fault``, the place in ``reasons`` from 1, or 0.
    """
    rejected = rejected_rows(connection, source)
    faults = shape_fault(rejected)
    for number, (reason, about) in enumerate(reasons, start=1):
        lines = f"SELECT line FROM {table} WHERE fault = {number}"
        faults += fault_of(connection, reason, about, lines, rejected, source)
    faults += fault_of(connection, *doubled, "SELECT DISTINCT line FROM doubled", rejected, source)
    return faults, len(rejected)


def _row_number(line: int, rejected: Sequence[int], source: Source) -> int:
    """The row in the file of the ``line``-th one that was read: DuckDB does not count rows that it rejected."""
    number = line + (1 if source.delimiter else 0)
    for one in rejected:
        if one > number:
            break
        number += 1
    return number


def summary(faults: Sequence[Fault]) -> dict[str, Any]:
    """Faults as the records and --json have them."""
    return {one.reason: {"rows": one.rows, "examples": list(one.examples)} for one in faults}
