"""A performance file that somebody sent by browser: its columns and first rows, and the job that imports it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock

from attune.labeler.assets import uploads
from attune.labeler.assets.upload_names import safe_path
from attune.labeler.assets.uploads import Part
from attune.labeler.jobs import jobs
from attune.labeler.performance.columns import FIELDS, PERIOD, REQUIRED
from attune.labeler.performance.duck import connection
from attune.labeler.performance.imports import unreadable
from attune.labeler.performance.source import open_source
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.files.atomic import write_json

KIND = "performance"
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
ROWS = 5  # that are shown
OPEN = ("queued", "running", "done")
# What other programs call a field; their first name that a file has is proposed.
OTHER_NAMES: Mapping[str, Sequence[str]] = {
    "asset_id": (
        "asset", "image_id", "image", "artwork_id", "artwork", "poster_id", "poster", "creative_id", "creative",
        "variant_id",
    ),
    "title_id": (
        "title", "film", "film_id", "movie", "movie_id", "show", "show_id", "series", "series_id", "content_id",
        "program_id",
    ),
    "canvas": ("placement", "slot", "surface", "position", "row_type"),
    "impressions": ("views", "shown", "imps", "exposures", "displays"),
    "takes": ("clicks", "plays", "starts", "chosen", "conversions"),
    "country": ("region", "market", "territory"),
    "device": ("platform", "device_type"),
    "member_cluster": ("segment", "cohort"),
    "arm": (),
    "propensity": ("p_shown", "chance"),
    "period_start": ("start", "start_date", "week_start"),
    "period_end": ("end", "end_date", "week_end"),
}  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """A file ``name`` with its ``columns`` and the texts of its first ``rows``; ``proposed``: field -> column."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    proposed: Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """How a file is to be read: field -> column, the arm of rows without one, and whether each row has one chance."""

    columns: Mapping[str, str]
    arm: str = ""
    one_chance: bool = False

    @property
    def maps(self) -> tuple[str, ...]:
        """As `imports.add` takes them."""
        return tuple(f"{column}={field}" for field, column in self.columns.items())


def part_of(settings: Settings, person: int, ticket: str) -> Part:
    """The one file of an upload. Raises UnknownUpload, and DataError where it is not one whole file."""
    return uploads.check_whole(uploads.folder_of(settings, person, ticket), 1)[0]


def local_file(settings: Settings, person: int, ticket: str) -> Path:
    """The file under its own name. Raises UnknownUpload, and DataError where it is not one whole file."""
    part = part_of(settings, person, ticket)
    folder = part.path.parent / "file"
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / safe_path(part.name).rpartition("/")[2]
    if not place.is_symlink():
        place.symlink_to(part.path.absolute())
    return place


def preview(settings: Settings, person: int, ticket: str) -> Preview:
    """The columns and first rows of a file that came. Raises UnknownUpload, UnreadableItem and DataError."""
    place = local_file(settings, person, ticket)
    with connection(settings) as (duck, folder):
        source = open_source(settings, str(place), folder, duck)
        cells = ", ".join(f"{source.text(name)}[:80] AS c{number}" for number, name in enumerate(source.columns))
        try:
            rows = duck.execute(f"SELECT {cells} FROM {source.relation()} LIMIT {ROWS}").fetchall()
        except duckdb.Error as error:
            raise DataError(unreadable(settings, source.name, error)) from error
    return Preview(source.name, source.columns, rows, propose(source.columns))


def propose(columns: Sequence[str]) -> dict[str, str]:
    """Field -> the column that probably holds it, of those that have one; a period only with both of its ends."""
    by_name = {re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_"): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for field in FIELDS:
        names = (field, *OTHER_NAMES[field])
        column = field if field in columns else next((by_name[name] for name in names if name in by_name), "")
        if column and column not in found.values():
            found[field] = column
    if sum(field in found for field in PERIOD) == 1:
        found = {field: column for field, column in found.items() if field not in PERIOD or field in columns}
    return found


def check(name: str, choice: Choice) -> None:
    """Raise DataError where ``choice`` cannot be used, in the words of the page that asks for it."""
    if missing := [field for field in REQUIRED if field not in choice.columns]:
        raise DataError(f"No column is chosen for {', '.join(missing)}. {name} cannot be used without.")
    if sum(field in choice.columns for field in PERIOD) == 1:
        raise DataError("Only one end of the period is chosen. Choose both columns, or neither.")
    if choice.one_chance and "propensity" not in choice.columns:
        raise DataError("“One chance” is about the propensity of each row. Choose its column, or remove the tick.")


def begin(settings: Settings, person: int, ticket: str, choice: Choice, who: str) -> str:
    """Have the file imported; the job's id. Asked again it is the same job, unless that one failed.

    Raises UnknownUpload, DataError where the file is not whole, and ServiceDown where Redis does not answer.
    """
    folder = uploads.folder_of(settings, person, ticket)
    part_of(settings, person, ticket)
    with FileLock(folder / "lock", timeout=60):
        with writing(settings) as session:
            before = session.get(Job, uploads.job_of(folder) or "")
            if before is not None and before.state in OPEN:
                return before.id
            job_id = jobs.record(
                session, KIND, ticket=ticket, asked_by=person, who=who, maps=list(choice.maps), arm=choice.arm,
                one_chance=choice.one_chance,
            )  # fmt: skip
        write_json(folder / "sent.json", {"job": job_id})
    jobs.hand_over(settings, job_id, KIND)
    return job_id


def delete(settings: Settings, person: int, ticket: str) -> None:
    """Delete a file that was not imported, with what is known of it. Raises UnknownUpload, and DataError where it is
    being imported, or was."""
    folder = uploads.folder_of(settings, person, ticket)
    with FileLock(folder / "lock", timeout=60):
        with reading(settings) as session:
            job = session.get(Job, uploads.job_of(folder) or "")
        if job is not None and job.state in OPEN:
            raise DataError(
                f"This file is {'imported' if job.state == 'done' else 'being imported'}. To take its rows out again, "
                "remove the import on the page Performance."
            )
        shutil.rmtree(folder, ignore_errors=True)


def drop_file(settings: Settings, person: int, ticket: str) -> None:
    """Delete what was sent of a file that is imported."""
    folder = uploads.folder_of(settings, person, ticket)
    for part in list(uploads.parts(folder)):
        part.path.unlink(missing_ok=True)
