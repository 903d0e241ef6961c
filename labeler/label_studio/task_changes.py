"""What happened in a project since a moment: the truth that webhooks only hint at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from attune.labeler.label_studio import tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import KEY, Address
from attune.models.clock import parse

KEPT = ("id", "result", "was_cancelled", "completed_by", "updated_by", "created_at", "updated_at", "lead_time")

AUTHOR = re.compile(r"(\S+@\S+), (\d{1,18})$")  # behind names that a user may choose: the address, and the id


@dataclass(frozen=True)
class TaskState:
    """A task with all annotations that it holds now; one deleted in Label Studio is simply not among them.

    ``data`` is the task's own. Each annotation is a mapping with id, result, was_cancelled, completed_by (a user id),
    created_at and updated_at (ISO 8601, UTC), lead_time (seconds) and author (an address, or empty).
    """

    id: int
    data: dict[str, Any]
    updated_at: datetime
    annotations: tuple[dict[str, Any], ...]


def changed_since(ls: LabelStudio, project: int, since: datetime | None) -> Iterator[TaskState]:
    """Tasks that were made or changed after ``since`` (all where None), also by an answer edited or deleted.

    Deleted tasks are invisible here: compare `tasks_of` now and then. Ask with a moment a few seconds before the last
    sync began, and take repetitions as what they are.
    """
    filters = [] if since is None else [tasks.changed_after(since)]
    for row in tasks.listed(ls, project, filters, whole=True):
        yield _state(row)


def answered_last(ls: LabelStudio, project: int, count: int) -> list[TaskState]:
    """The ``count`` answered or skipped tasks that changed last, newest first: one request, however large the project.

    An answer that was deleted leaves a task that is not among them.
    """
    return [_state(row) for row in tasks.newest(ls, project, tasks.is_answered(), count)]


def tasks_of(ls: LabelStudio, project: int) -> dict[int, dict[str, Any]]:
    """Task id -> data of all tasks that the project holds."""
    return {row["id"]: row["data"] for row in tasks.listed(ls, project, page=1000)}


def untouched(ls: LabelStudio, project: int) -> list[Address]:
    """Where each task stands that no one has answered, skipped or begun."""
    rows = tasks.listed(ls, project, tasks.is_untouched(), page=1000)
    return [Address(row["id"], str(row["data"].get(KEY) or ""), str(row["data"].get("asset_id") or "")) for row in rows]


def _state(row: dict[str, Any]) -> TaskState:
    annotations = tuple(_annotation(item) for item in row.get("annotations") or ())
    return TaskState(row["id"], row["data"], parse(row["updated_at"]), annotations)


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    fields = {key: row.get(key) for key in KEPT}
    author = fields["completed_by"]
    fields["completed_by"] = author["id"] if isinstance(author, dict) else author
    author_match = AUTHOR.search(str(row.get("created_username") or ""))
    fields["author"] = (
        author_match[1].casefold() if author_match and int(author_match[2]) == fields["completed_by"] else ""
    )
    return fields
