"""A performance file, wherever it is, as a local file that can be read twice; and the columns that it has."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from attune.labeler.assets import image_sources
from attune.labeler.assets.image_uris import is_address, local_path
from attune.labeler.assets.reach import Reach
from attune.labeler.performance.columns import SIMULATED
from attune.labeler.performance.duck import literal, parquet, quoted
from attune.labeler.settings import Settings
from attune.models.errors import UnreadableItem
from attune.models.files.paths import at_home
from attune.models.reasons import reason

LONGEST = 255  # characters of a column's name
DELIMITERS = ",;\t"
FORMATS = "Use a CSV or Parquet file."
ZONED = "TIMESTAMP WITH TIME ZONE"


@dataclass(frozen=True)
class Source:
    """A local file of ``columns``; ``name`` is what messages call it. ``delimiter`` is empty for Parquet."""

    path: Path
    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    delimiter: str = ""

    def relation(self) -> str:
        """SQL that reads all cells as texts, with faulty rows of a CSV put into ``reject_errors``."""
        if not self.delimiter:
            return parquet(self.path)
        cells = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"read_csv({literal(str(self.path))}, auto_detect=false, hive_partitioning=false, header=false, skip=1, "
            f"columns={{{cells}}}, quote='\"', escape='\"', delim={literal(self.delimiter)}, store_rejects=true, "
            "rejects_limit=0)"
        )

    def text(self, name: str) -> str:
        """SQL for one cell as a text, empty where there is none; whole numbers have no decimal point."""
        column = quoted(name)
        if self.delimiter:
            return f"coalesce({_trimmed(column)}, '')"
        place = self.columns.index(name)
        if self.kinds[place] in {"DOUBLE", "FLOAT"}:
            whole = f"{column} = trunc({column}) AND abs({column}) < 9e15"
            number = f"WHEN {whole} THEN TRY_CAST({column} AS BIGINT)::VARCHAR ELSE {column}::VARCHAR"
            # NaN becomes null in the cast: DuckDB 2.0 takes it for a usual number where Parquet's statistics hide it.
            return f"coalesce(CASE {number} END, '')"
        if self.kinds[place] == ZONED:  # else it is written in this machine's zone, with an offset
            column = f"make_timestamp(epoch_us({column}))"
        return f"coalesce({_trimmed(f'{column}::VARCHAR')}, '')"


TRIMMED_SIGNS = " \t\n\r\xa0\ufeff"
SIGNS = [f"chr({ord(sign)})" for sign in TRIMMED_SIGNS]
TRIMMED = " || ".join(SIGNS)


def _trimmed(text: str) -> str:
    """SQL of ``text`` without ``TRIMMED_SIGNS`` at its ends. To trim takes three times as long as to see that a text
    has none of them, which was half of the time of an import."""
    held = " OR ".join(f"contains({text}, {sign})" for sign in SIGNS)
    return f"CASE WHEN {held} THEN trim({text}, {TRIMMED}) ELSE {text} END"


def open_source(settings: Settings, place: str, folder: Path, connection: duckdb.DuckDBPyConnection) -> Source:
    """Fetch ``place`` into ``folder`` where it is remote or a pipe, and read its columns.

    Raises UnreadableItem for what cannot be read, or is neither CSV nor Parquet.
    """
    name = place.rstrip("/").rpartition("/")[2] or place
    target = folder / "source"
    try:
        _fetch(settings, place, target)
        with target.open("rb") as file:
            head = file.read(1 << 20)
    except OSError as error:
        raise UnreadableItem(f"{place} cannot be read: {reason(error)}. Check the path.", "cannot be read") from error
    if not head.strip():
        raise UnreadableItem(f"{name} is empty. {FORMATS}", "empty")
    if head[:4] == b"PAR1":
        return _parquet(target, name, connection)
    return _csv(target, name, head)


def _fetch(settings: Settings, place: str, target: Path) -> None:
    if is_address(place):
        with image_sources.opened(place, Reach.of(settings)) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        return
    path = Path(at_home(local_path(place))).absolute()
    if path.is_file():
        os.symlink(path, target)  # a name of ours: DuckDB would take signs in a user's name for a pattern
        return
    if path.is_fifo():
        with path.open("rb") as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        return
    what = "is a folder" if path.is_dir() else "is a device, not a file" if path.exists() else "does not exist"
    raise UnreadableItem(f"{place} {what}. Name a CSV or Parquet file.", "cannot be read")


def _parquet(path: Path, name: str, connection: duckdb.DuckDBPyConnection) -> Source:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {parquet(path)}").fetchall()
    except duckdb.Error as error:
        raise UnreadableItem(
            f"{name} is a damaged Parquet file. Write it again, or copy it again.", "unreadable"
        ) from error
    return Source(path, name, tuple(row[0] for row in rows), tuple(row[1] for row in rows))


def made_up(source: Source) -> dict[str, str]:
    """``{"simulated": SEED}`` for rows that ``attune insights simulate`` made up, as their file says; else nothing."""
    told = None if source.delimiter else (pq.read_schema(source.path).metadata or {}).get(SIMULATED)
    return {} if told is None else {"simulated": told.decode(errors="replace")[:40]}


def _csv(path: Path, name: str, head: bytes) -> Source:
    try:
        line = head.split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise UnreadableItem(f"{name} is neither Parquet nor UTF-8 text. {FORMATS}", "unreadable") from error
    delimiter = max(DELIMITERS, key=line.count)
    columns = _cells(line, delimiter)
    if "\0" in line or not columns or not all(0 < len(name) <= LONGEST for name in columns):
        raise UnreadableItem(
            f"The first line of {name} is not a header with a name for each column. {FORMATS}", "header"
        )
    return Source(path, name, columns, ("VARCHAR",) * len(columns), delimiter)


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a header; none where it is no line of CSV."""
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:  # no end of the line for many thousand characters, or one of another kind
        return ()
