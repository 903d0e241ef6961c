"""Manifests: CSV, JSON lines or Parquet with asset_id, uri or filename, title_id, and further columns that are kept."""

from __future__ import annotations

import math
import posixpath
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from attune.labeler.assets import image_sources, image_uris
from attune.labeler.assets.proposed import Candidate, Found, checked_id, id_choices
from attune.labeler.assets.reach import Reach
from attune.models.clock import iso
from attune.models.errors import DataError, UnreadableItem
from attune.models.files import cell_ids
from attune.models.files.inputs import read_user_file
from attune.models.files.table_rows import Row, Table
from attune.models.files.tables import read_table

PLACES = ("uri", "filename")
NAMES = ("asset_id", *PLACES, "title_id")
HOW = (
    "An asset table is CSV, JSON lines or Parquet. It has the columns asset_id and uri (or filename, relative "
    "to PATH). title_id and other columns are optional."
)


@dataclass
class Manifest:
    """The rows that can be used, those that cannot with the reason, and how many only ``repeated`` another row."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[tuple[str, UnreadableItem]] = field(default_factory=list)
    repeated: int = 0


@dataclass(frozen=True)
class _Entry:
    """A row that names a file: ``asset_id`` is empty where the row has none."""

    row: Row
    file: Found
    asset_id: str
    title_id: str | None
    columns: dict[str, Any]


def read_manifest(
    path: Path,
    roots: Sequence[str],
    known: Callable[[set[str]], Mapping[str, str]] = lambda uris: {},
    reach: Reach = image_sources.USUAL,
) -> Manifest:
    """The candidates of the manifest ``path``; file names are looked up below ``roots``, or beside the manifest.

    A row without an asset_id gets the id that its file would get without a manifest; ``known`` gives the ids of those
    of some uris that the pool has; a row outside ``reach`` is refused without being opened. Raises UnreadableItem where
    the file as a whole is no manifest; a single bad row is refused by itself.
    """
    made = Manifest()
    folders = [image_uris.absolute(root) for root in roots] or [str(path.absolute().parent)]
    entries: list[_Entry] = []
    table = _table(path)
    numbers = _numbers(table)
    for row in table.rows:
        try:
            entries.append(_entry(row, folders, numbers, reach))
        except UnreadableItem as error:
            _refuse(made, path, row, error)
    unnamed = {entry.file.uri: entry.file for entry in entries if not entry.asset_id}
    there = known(set(unnamed)) if unnamed else {}
    choices = dict(zip(unnamed, id_choices(list(unnamed.values()), there), strict=True))
    given = {entry.asset_id: entry.file.uri for entry in reversed(entries) if entry.asset_id}
    met: dict[str, Candidate] = {}
    for entry in entries:
        try:
            _take(made, met, _candidate(entry, choices, given))
        except UnreadableItem as error:
            _refuse(made, path, entry.row, error)
    return made


def _take(made: Manifest, met: dict[str, Candidate], candidate: Candidate) -> None:
    """Add the candidate, or count it where it repeats one that was ``met``.

    Raises UnreadableItem where the two rows differ.
    """
    before = met.setdefault(candidate.ids[0], candidate)
    if before is candidate:
        made.candidates.append(candidate)
    elif (before.uri, before.title_id, before.columns) == (candidate.uri, candidate.title_id, candidate.columns):
        made.repeated += 1
    else:
        what = "files" if before.uri != candidate.uri else "columns"
        raise UnreadableItem(
            f"{candidate.ids[0]} appears twice in the asset table, with different {what}. Keep one row.", "named twice"
        )


def _refuse(made: Manifest, path: Path, row: Row, error: UnreadableItem) -> None:
    message = f"{row.place.capitalize()} of {path.name}: {error}"
    made.refused.append((row.place, UnreadableItem(message, error.reason)))


def _numbers(table: Table) -> set[str]:
    """Which columns of ids are numbers that were written with .0: pandas does so where one of them is missing."""
    return {name for name in ("asset_id", "title_id") if _all_numbers([row.cells.get(name) for row in table.rows])}


def _all_numbers(cells: Sequence[Any]) -> bool:
    texts = [cell_ids.tidy(cell) if isinstance(cell, str) else cell for cell in cells]
    return all(
        isinstance(text, str) and (cell_ids.whole(text) or cell_ids.shortened(text))
        for text in texts
        if text not in (None, "")
    )


def _entry(row: Row, folders: Sequence[str], numbers: set[str], reach: Reach) -> _Entry:
    if row.wrong:
        raise UnreadableItem(f"it has {row.wrong} {row.detail}".rstrip() + ". Correct it.", row.wrong)
    place = next((text for name in PLACES if (text := _id(row, name))), "")
    if not place:
        raise UnreadableItem("it has no uri and no filename. Give one of them.", "no file")
    asset_id, title = _id(row, "asset_id"), _id(row, "title_id")
    for name, text in (("asset_id", asset_id), ("title_id", title)):
        if cell_ids.shortened(text, name in numbers):
            raise UnreadableItem(f"it has {text} for {name}, {cell_ids.SHORTENED}.", "shortened number")
    if "asset_id" in numbers:
        asset_id = cell_ids.whole(asset_id) or asset_id
    if "title_id" in numbers:
        title = cell_ids.whole(title) or title
    columns = {str(name): _plain(value) for name, value in row.cells.items() if name not in NAMES}
    return _Entry(
        row,
        _found(place, folders, reach),
        checked_id(asset_id) if asset_id else "",
        checked_id(title, "title_id") if title else None,
        columns,
    )


def _id(row: Row, name: str) -> str:
    value = row.cells.get(name)
    if name in PLACES and isinstance(value, str):
        return value.strip()  # a place keeps its form: a disk may know the name in one of the two only
    try:
        return cell_ids.from_cell(value)
    except cell_ids.BadId as error:
        if name in PLACES:
            raise UnreadableItem(
                f"its {name} is not a text: {str(value)[:60]}. Name one file in each row. JSON is a list of "
                "rows, or one row per line.",
                "no file",
            ) from error
        raise UnreadableItem(f"it {error} ({name}).", "bad id") from error


def _candidate(
    entry: _Entry, unnamed: Mapping[str, tuple[str, ...] | UnreadableItem], given: Mapping[str, str]
) -> Candidate:
    uri = entry.file.uri
    choices: tuple[str, ...] = (entry.asset_id,)
    if not entry.asset_id:
        possible = unnamed[uri]
        if isinstance(possible, UnreadableItem):
            raise possible
        choices = tuple(choice for choice in possible if given.get(choice, uri) == uri)
        if not choices:
            raise UnreadableItem(
                f"{possible[0]} is the asset_id of another row. Give this image an asset_id.", "named twice"
            )
    return Candidate(uri, choices, entry.title_id, entry.columns, from_manifest=True)


def _found(place: str, folders: Sequence[str], reach: Reach) -> Found:
    """The file at the first folder that has it; where none has, at the first, so that messages name a full path."""
    forms = [place]
    if not place.isascii() and not image_uris.is_address(place):
        forms += [unicodedata.normalize(form, place) for form in ("NFC", "NFD")]
    choices = [(image_uris.join(folder, form), form, folder) for folder in folders for form in forms]
    uri, form, folder = choices[0]
    if len(choices) > 1:
        uri, form, folder = next((choice for choice in choices if image_sources.exists(choice[0], reach)), choices[0])
    image_sources.check(uri, reach)
    return Found(uri, _relative(form, uri, folder), image_uris.file_name(folder.rstrip("/")))


def _relative(place: str, uri: str, folder: str) -> str:
    """The path below ``folder``; of a file elsewhere its whole path, without scheme and query."""
    below = folder.rstrip("/") + "/"
    if uri.startswith(below):
        place = uri[len(below) :]
    elif image_uris.is_address(place):
        place = place.partition("://")[2]
    if uri.startswith(("http://", "https://")):
        place = place.partition("?")[0]
    return posixpath.normpath(place).lstrip("/")


def _table(path: Path) -> Table:
    content = read_user_file(path, "The asset table")
    try:
        table = read_table(content, NAMES)
    except DataError as error:
        raise UnreadableItem(f"The asset table {path.name} {error}", "bad manifest") from error
    if not any(place in table.names for place in PLACES):
        shown = ", ".join(table.names[:12])[:300] or "nothing"
        raise UnreadableItem(
            f"The asset table {path.name} has no column uri or filename (found: {shown}). {HOW}", "bad manifest"
        )
    return table


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if hasattr(value, "tolist"):  # numpy's
        value = value.tolist()
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
