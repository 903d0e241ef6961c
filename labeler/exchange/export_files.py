"""An attribute's labels as the bytes of a file, in the format that its suffix or the caller names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from attune.labeler.assets.media import media_url
from attune.labeler.exchange import export_tables, label_studio_json
from attune.labeler.exchange.export_rows import Exported, agreed_rows, answer_rows, exported
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now
from attune.models.errors import DataError

CSV, PARQUET, JSON, STUDIO = "csv", "parquet", "json", "label-studio"
FORMATS = (CSV, PARQUET, JSON, STUDIO)
TYPES = {
    CSV: "text/csv; charset=utf-8",
    PARQUET: "application/vnd.apache.parquet",
    JSON: "application/json",
    STUDIO: "application/json",
}


@dataclass(frozen=True)
class File:
    """An export: its bytes, its media type, the name to keep it under, and how many rows or tasks it holds."""

    content: bytes
    kind: str
    name: str
    rows: int


def format_of(path: Path, requested: str | None = None) -> str:
    """The format: the one asked for, else the file's suffix. Raises DataError for a suffix that is none."""
    extension = requested or path.suffix.lower().lstrip(".")
    if extension not in FORMATS:
        raise DataError(
            f"format: {path.name!r} does not end in .csv, .parquet or .json. Rename it, or add --format "
            f"{', '.join(FORMATS)}."
        )
    return extension


def export(settings: Settings, name: str, kind: str = CSV, agreed: bool = False) -> File:
    """The labels of the attribute ``name`` as a file; ``agreed`` gives one row an asset in place of one an answer.

    Raises UnknownAttribute, and DataError for an unknown format or an agreed export for Label Studio.
    """
    if kind not in FORMATS:
        raise DataError(f"format: {kind[:40]!r} does not exist. Expected one of {', '.join(FORMATS)}.")
    exported_rows = exported(settings, name)
    if kind == STUDIO:
        if agreed:
            raise DataError(
                "format: Label Studio's JSON contains answers, not agreed labels. Leave out agreed, or choose csv."
            )
        tasks = label_studio_json.tasks_of(exported_rows, _addresses(settings, exported_rows))
        content = (json.dumps(tasks, indent=1, ensure_ascii=False) + "\n").encode()
        return File(content, TYPES[kind], f"{name}.label-studio.json", len(tasks))
    rows = agreed_rows(settings, exported_rows) if agreed else answer_rows(exported_rows)
    columns = export_tables.columns_of(exported_rows.classes, agreed)
    if kind == CSV:
        content = export_tables.write_csv(rows, columns)
    elif kind == PARQUET:
        content = export_tables.write_parquet(rows, columns)
    else:
        about = {"attribute": name, "question": exported_rows.question, "classes": list(exported_rows.classes)}
        content = export_tables.write_json(rows, about | {"revision": exported_rows.revision, "agreed": agreed})
    return File(content, TYPES[kind], f"{name}{'-agreed' if agreed else ''}.{kind}", len(rows))


def _addresses(settings: Settings, exported_rows: Exported) -> dict[str, str]:
    """Where a browser finds each image: its own address, or a signed one of this console, which lasts seven days."""
    keys, at = secrets.load(settings.secrets), now()
    uris = {row.asset_id: row.uri for row in exported_rows.rows}
    return {
        name: uri if uri.startswith(label_studio_json.REMOTE) else media_url(settings, keys, name, at)[0]
        for name, uri in uris.items()
    }
