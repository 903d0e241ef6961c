"""From a performance file to clean Parquet: each row is judged, faulty ones are counted with the rows they are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from attune.labeler.performance.columns import ARMS, DOUBLED, FAULTS, FIELDS, GROUPS, KEY, PERIOD, SHAPE
from attune.labeler.performance.doubles import find_doubled
from attune.labeler.performance.duck import literal, parquet
from attune.labeler.performance.source import Source

EXAMPLES = 5  # rows that are named for each fault
ROW_GROUP = 122_880
WRITE = f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP})"
DIRECT = ("asset_id", "title_id", "canvas", *GROUPS)
Step = Callable[[], None]
Reasons = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Fault:
    """How many rows have it, and the first of them by number; in a CSV the header is row 1."""

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


@dataclass
class Cleaned:
    """What became of a file: ``path`` is the clean Parquet, with ``rows`` rows."""

    path: Path
    rows: int
    read: int
    faults: list[Fault] = field(default_factory=list)


def clean(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: dict[str, str], arm: str, folder: Path,
    live: str, step: Step,
) -> Cleaned:  # fmt: skip
    """Judge all rows of ``source`` and write the good ones below ``folder``.

    ``chosen`` gives the file's column of each field; ``arm`` is that of rows without one; ``live`` is SQL of the rows
    that earlier imports keep, empty where there are none. ``step`` is called after each part.
    """
    staged, final = folder / "staged.parquet", folder / "clean.parquet"
    connection.execute(f"COPY ({_judged(source, chosen, arm)}) TO {literal(str(staged))} {WRITE}")
    step()
    table = parquet(staged)
    (read,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    find_doubled(connection, table, read, live)
    step()
    good = "fault = 0 AND line NOT IN (SELECT line FROM doubled)"
    connection.execute(f"COPY (SELECT {', '.join(FIELDS)} FROM {table} WHERE {good}) TO {literal(str(final))} {WRITE}")
    step()
    (rows,) = connection.execute(f"SELECT count(*) FROM {parquet(final)}").fetchall()[0]
    faults, rejected = find_faults(connection, table, source, FAULTS, DOUBLED)
    return Cleaned(final, rows, read + rejected, faults)


def _judged(source: Source, chosen: dict[str, str], arm: str) -> str:
    """SQL of all rows with their values, their fault (0: none) and a number of their key."""
    texts = [f"{source.text(chosen[name]) if name in chosen else literal('')} AS t_{name}" for name in FIELDS]
    raw = f"SELECT row_number() OVER () AS line, {', '.join(texts)} FROM {source.relation()}"
    values = [f"nfc_normalize(t_{name}) AS {name}" for name in DIRECT]
    values.append(f"CASE WHEN t_arm = '' THEN {literal(arm)} ELSE lower(t_arm) END AS arm")
    values += [f"TRY_CAST(t_{name} AS DOUBLE) AS {name}" for name in ("propensity", "impressions", "takes")]
    values += [f"TRY_CAST(t_{name} AS TIMESTAMP) AS {name}" for name in PERIOD]
    cast = f"SELECT *, {', '.join(values)} FROM ({raw})"
    cases = " ".join(f"WHEN {test} THEN {number}" for number, test in enumerate(_tests(), start=1))
    whole = "TRY_CAST(impressions AS BIGINT) AS impressions"
    columns = ", ".join(whole if name == "impressions" else name for name in FIELDS)
    fault = f"CASE {cases} ELSE 0 END::UTINYINT AS fault"
    return f"SELECT line, {columns}, {fault}, hash({', '.join(KEY)}) AS key FROM ({cast})"


def _tests() -> list[str]:
    """SQL for each of ``FAULTS``."""
    offset = " OR ".join(f"regexp_matches(t_{name}, ':.*[+-][0-9]')" for name in PERIOD)
    unread = " OR ".join(f"(t_{name} <> '' AND {name} IS NULL)" for name in PERIOD)
    tests = {
        "no asset_id": "asset_id = ''",
        "no title_id": "title_id = ''",
        "no canvas": "canvas = ''",
        "no impressions": "t_impressions = ''",
        "bad impressions": unless("impressions >= 0 AND impressions = trunc(impressions) AND impressions < 9e15"),
        "no takes": "t_takes = ''",
        "bad takes": unless("takes >= 0 AND takes < 9e15"),
        "takes above impressions": "takes > impressions",
        "bad arm": f"arm NOT IN ({', '.join(map(literal, ARMS))})",
        "bad propensity": f"t_propensity <> '' AND {unless('propensity > 0 AND propensity <= 1')}",
        "bad period": f"(t_period_start = '') <> (t_period_end = '') OR {unread} OR {offset}",
        "period ends early": "period_end < period_start",
    }
    return [f"({tests[reason]})" for reason, _ in FAULTS]


def unless(test: str) -> str:
    """SQL that is true where ``test`` is false or unknown."""
    return f"NOT coalesce({test}, false)"


def find_faults(
    connection: duckdb.DuckDBPyConnection, table: str, source: Source, reasons: Reasons, doubled: tuple[str, str]
) -> tuple[list[Fault], int]:
    """The faults of the rows in ``table`` and those of ``doubled``, and how many rows could not be read at all.

    ``table`` has ``line`` and ``fault``, the place in ``reasons`` from 1, or 0.
    """
    rejected: list[int] = []
    if source.delimiter:
        found = connection.execute("SELECT DISTINCT line FROM reject_errors ORDER BY line").fetchall()
        rejected = [line for (line,) in found]
    faults = [Fault(SHAPE[0], len(rejected), tuple(rejected[:EXAMPLES]), SHAPE[1])] if rejected else []
    selected = [
        (reason, f"SELECT line FROM {table} WHERE fault = {number}") for number, reason in enumerate(reasons, start=1)
    ]
    for (reason, about), lines in [*selected, (doubled, "SELECT DISTINCT line FROM doubled")]:
        (count,) = connection.execute(f"SELECT count(*) FROM ({lines})").fetchall()[0]
        if count:
            first = connection.execute(f"{lines} ORDER BY line LIMIT {EXAMPLES}").fetchall()
            numbers = tuple(_row_number(line, rejected, source) for (line,) in first)
            faults.append(Fault(reason, count, numbers, about))
    return faults, len(rejected)


def _row_number(line: int, rejected: list[int], source: Source) -> int:
    """The row in the file of the ``line``-th one that was read: DuckDB does not count rows that it rejected."""
    number = line + (1 if source.delimiter else 0)
    for one in rejected:
        if one > number:
            break
        number += 1
    return number


def summary(faults: list[Fault]) -> dict[str, Any]:
    """Faults as the records and --json have them."""
    return {one.reason: {"rows": one.rows, "examples": list(one.examples)} for one in faults}
