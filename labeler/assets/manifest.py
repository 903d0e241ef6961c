"""Manifests: CSV or Parquet with asset_id, uri or filename, optionally title_id, and further columns that are kept."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from labeler.assets import sources
from labeler.assets.candidates import Candidate, checked_id
from models.clock import iso
from models.errors import UnreadableItem
from models.inputs import read_user_file
from models.reasons import reason

PLACES = ("uri", "filename")
HOW = (
    "A manifest is CSV or Parquet with the columns asset_id and uri (or filename, relative to PATH), optionally "
    "title_id, and any further ones."
)


@dataclass
class Manifest:
    """The rows that can be used, and those that cannot with the reason."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[tuple[str, UnreadableItem]] = field(default_factory=list)


def read_manifest(path: Path, roots: Sequence[str]) -> Manifest:
    """The candidates of the manifest ``path``; file names are looked up below ``roots``, or beside the manifest.

    Raises UnreadableItem where the file as a whole is no manifest; a single bad row is refused by itself.
    """
    made = Manifest()
    met: dict[str, Candidate] = {}
    folders = [sources.absolute(root) for root in roots] or [str(path.absolute().parent)]
    for number, row in _rows(path):
        try:
            candidate = _candidate(row, folders)
            before = met.get(candidate.ids[0])
            if before is not None and before.uri != candidate.uri:
                raise UnreadableItem(
                    f"{candidate.ids[0]} stands twice in the manifest, with other files. Keep one row.", "named twice"
                )
        except UnreadableItem as error:
            made.refused.append(
                (f"row {number}", UnreadableItem(f"Row {number} of {path.name}: {error}", error.reason))
            )
            continue
        if before is None:
            made.candidates.append(candidate)
            met[candidate.ids[0]] = candidate
    return made


def _candidate(row: dict[str, Any], folders: Sequence[str]) -> Candidate:
    place = next((str(row[name]).strip() for name in PLACES if row.get(name)), "")
    if not place:
        raise UnreadableItem("it has neither uri nor filename. Give one of them.", "no file")
    asset_id = checked_id(str(row.get("asset_id") or sources.file_name(place)))
    title = row.get("title_id")
    title_id = None if title in (None, "") else checked_id(str(title), "title_id")
    columns = {name: value for name, value in row.items() if name not in {"asset_id", "title_id", *PLACES}}
    return Candidate(_placed(place, folders), (asset_id,), title_id, columns, from_manifest=True)


def _placed(place: str, folders: Sequence[str]) -> str:
    """The first folder that has the file; where none has, the first, so that the message names a full path."""
    choices = [sources.join(folder, place) for folder in folders]
    if len(choices) > 1:
        return next((choice for choice in choices if sources.exists(choice)), choices[0])
    return choices[0]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Row number (the header of a CSV is row 1) and columns."""
    content = read_user_file(path, "The manifest")
    if content.startswith(b"PAR1"):
        return _parquet_rows(path)
    return _csv_rows(path, content)


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        file = pq.ParquetFile(path)
        _check_header(path, list(file.schema_arrow.names))
    except pa.ArrowException as error:
        raise UnreadableItem(
            f"The manifest {path.name} is no readable Parquet file: it is damaged or cut short. {HOW}", "bad manifest"
        ) from error

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, {str(name): _plain(value) for name, value in row.items()}

    return rows()


def _csv_rows(path: Path, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableItem(
            f"The manifest {path.name} is no UTF-8 text: {reason(error)}. Save it as CSV UTF-8.", "bad manifest"
        ) from error
    header = text.partition("\n")[0]
    # Spreadsheets of half the world write semicolons.
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip() for name in next(reader, [])]
    _check_header(path, names)

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, dict(zip(names, values, strict=False))

    return rows()


def _check_header(path: Path, names: Sequence[str]) -> None:
    if not any(place in names for place in PLACES):
        shown = ", ".join(names[:12]) or "nothing"
        raise UnreadableItem(
            f"The manifest {path.name} has no column uri or filename; it has {shown}. {HOW}", "bad manifest"
        )


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(value)
