"""From a performance file to clean Parquet: each row is judged, faulty ones are counted with the rows they are in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from attune.labeler.performance.columns import ARMS, DOUBLED, FAULTS, FIELDS, GROUPS, KEY, PERIOD
from attune.labeler.performance.doubles import find_doubled
from attune.labeler.performance.duck import literal, parquet
from attune.labeler.performance.faults import Fault, find_faults
from attune.labeler.performance.source import Source

ROW_GROUP = 122_880
WRITE = f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP})"
DIRECT = ("asset_id", "title_id", "canvas", *GROUPS)
Step = Callable[[], None]


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
    """Judge all rows of ``source`` and write the good ones below ``folder``, in the order of their titles.

    ``chosen`` gives the file's column of each field; ``arm`` is that of rows without one; ``live`` is SQL of the rows
    that earlier imports keep, empty where there are none. ``step`` is called after each part.
    """
    staged, final = folder / "staged.parquet", folder / "clean.parquet"
    judged = f"SELECT * FROM ({_judged(source, chosen, arm)}) ORDER BY title_id, line"  # see title_ranges
    connection.execute(f"COPY ({judged}) TO {literal(str(staged))} {WRITE}")
    step()
    table = parquet(staged)
    (read,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    find_doubled(connection, table, live)
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
