"""What happened in a project since a moment: the truth that webhooks only hint at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeler.label_studio import tasks
from labeler.label_studio.client import LabelStudio
from models.clock import parse

KEPT = ("id", "result", "was_cancelled", "completed_by", "created_at", "updated_at", "lead_time")


@dataclass(frozen=True)
class TaskState:
    """A task with all annotations that it holds now; one deleted in Label Studio is simply not among them.

    Each annotation is a mapping with id, result, was_cancelled, completed_by (a user id), created_at and updated_at
    (ISO 8601, UTC) and lead_time (seconds).
    """

    id: int
    asset_id: str
    updated_at: datetime
    annotations: tuple[dict[str, Any], ...]


def changed_since(ls: LabelStudio, project: int, since: datetime | None) -> Iterator[TaskState]:
    """Tasks that were made or changed after ``since`` (all where None), also by an answer edited or deleted.

    Deleted tasks are invisible here: compare `task_ids` now and then. Ask with a moment a few seconds before the last
    sync began, and take repetitions as what they are.
    """
    filters = [] if since is None else [tasks.changed_after(since)]
    for row in tasks.listed(ls, project, filters, whole=True):
        annotations = tuple(_annotation(item) for item in row.get("annotations") or ())
        yield TaskState(row["id"], str(row["data"].get("asset_id", "")), parse(row["updated_at"]), annotations)


def task_ids(ls: LabelStudio, project: int) -> set[int]:
    """The ids of all tasks that the project holds."""
    return {row["id"] for row in tasks.listed(ls, project, page=1000)}


def untouched(ls: LabelStudio, project: int) -> list[tuple[int, str]]:
    """Task id and asset of each task that nobody has answered, skipped or begun."""
    rows = tasks.listed(ls, project, tasks.is_untouched(), page=1000)
    return [(row["id"], str(row["data"].get("asset_id", ""))) for row in rows]


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    kept = {key: row.get(key) for key in KEPT}
    author = kept["completed_by"]
    kept["completed_by"] = author["id"] if isinstance(author, dict) else author
    return kept
