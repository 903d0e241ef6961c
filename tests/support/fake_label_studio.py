"""A Label Studio in memory that gives every freed id to the next task or annotation at once, in whatever project.

It stands in for the real one where a test needs thousands of steps, or a habit that the real one shows now and then: on
SQLite it numbers imported tasks and annotations ``latest + 1`` (its tasks/serializers.py). It knows the few requests
that queues and syncs make.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self

from attune.labeler.label_studio.labeling_config import SKIP, write_result
from attune.models.clock import iso
from attune.models.errors import LabelStudioRefused

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeLabelStudio:
    """Projects, tasks and annotations; ``request`` and ``sdk`` as ``LabelStudio`` has them."""

    def __init__(self, clock: Any = None) -> None:
        self.projects: dict[int, dict[str, Any]] = {}
        self.members: dict[str, list[str]] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.users: dict[int, str] = {}
        self._clock = clock
        self._ticks = 0
        self.sdk = SimpleNamespace(
            projects=SimpleNamespace(import_tasks=self._import_tasks, import_predictions=self._import_predictions),
            tasks=SimpleNamespace(delete=lambda id: self._drop([int(id)])),
        )

    def now(self) -> datetime:
        """A moment later than the last one."""
        self._ticks += 1
        return (self._clock() if self._clock else START) + timedelta(microseconds=self._ticks)

    def add_project(self, number: int, description: str = "") -> int:
        """A project without tasks."""
        self.projects[number] = {"id": number, "description": description, "label_config": ""}
        return number

    def add_tasks(self, project: int, asset_id: str, count: int) -> list[int]:
        """Tasks that somebody makes by hand."""
        data = [{"data": {"image": "http://127.0.0.1:1/x.jpg", "asset_id": asset_id}} for _ in range(count)]
        made: list[int] = self._import_tasks(project, data, True).task_ids
        return made

    def answer(self, task: int, user: int, value: str) -> int:
        """What the labelling page submits; the annotation's id. Raises LabelStudioRefused where the task is gone."""
        if task not in self.tasks:
            raise LabelStudioRefused("Label Studio answered 404: no such task.", 404)
        at = self.now()
        number = max((one["id"] for row in self.tasks.values() for one in row["annotations"]), default=0) + 1
        made = {"id": number, "result": write_result(value), "was_cancelled": value == SKIP, "lead_time": 1.0}
        made |= {"completed_by": user, "created_at": iso(at), "updated_at": iso(at)}
        self.tasks[task]["annotations"].append(made)
        self.tasks[task]["updated_at"] = at
        return number

    def edit(self, annotation: int, value: str) -> None:
        """Change an answer."""
        row, one = self._annotation(annotation)
        row["updated_at"] = self.now()
        one |= {"result": write_result(value), "was_cancelled": value == SKIP, "updated_at": iso(row["updated_at"])}

    def delete_annotation(self, annotation: int) -> None:
        """Delete an answer."""
        row, one = self._annotation(annotation)
        row["annotations"].remove(one)
        row["updated_at"] = self.now()

    def delete_task(self, task: int) -> None:
        """Delete a task by hand, with its answers; one that is gone is fine."""
        self.tasks.pop(task, None)

    def answers(self, project: int) -> list[tuple[int, str, str, int]]:
        """(annotation's id, asset, value, user) of every answer in a project, by id."""
        rows = [row for row in self.tasks.values() if row["project"] == project]
        found = [
            (one["id"], row["data"]["asset_id"], _value(one), one["completed_by"])
            for row in rows
            for one in row["annotations"]
        ]
        return sorted(found)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """As the real one has it."""
        yield

    def request(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """The few requests that queues and syncs make."""
        parts = path.strip("/").split("/")
        match (method, parts):
            case ("GET", ["api", "tasks"]):
                return {"tasks": self._listed(dict(query or {}))}
            case ("PATCH", ["api", "tasks", number]):
                self.tasks[int(number)]["data"] = body["data"]
            case ("POST", ["api", "dm", "actions"]):
                self._drop(body["selectedItems"]["included"])
            case ("GET", ["attune", "members"]):
                return {"members": self.members}
            case ("POST", ["attune", "members"]):
                self.members |= body
            case ("GET", ["api", "users"]):
                return [{"id": number, "email": email} for number, email in self.users.items()]
            case ("GET", ["api", "users", number]) if int(number) in self.users:
                return {"id": int(number), "email": self.users[int(number)]}
            case ("GET", ["api", "projects"]):
                ids = [(query or {})["ids"]] if "ids" in (query or {}) else list(self.projects)
                there = [number for number in ids if number in self.projects]
                rows = [self.projects[number] | self._numbers(number) for number in there]
                return {"results": rows, "next": None}
            case ("GET", ["api", "projects", number]):
                return self.projects[int(number)]
            case ("PATCH", ["api", "projects", number]):
                self.projects[int(number)] |= body
            case ("GET", ["api", "dm", "views"]) | ("GET", ["api", "projects", _, "model-versions"]):
                return []
            case _:
                raise AssertionError(f"the fake Label Studio does not know {method} {path}")
        return None

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def _called(self, user: int) -> str:
        return f"A Name, 9 {self.users[user]}, {user}" if user in self.users else ""

    def _numbers(self, project: int) -> dict[str, int]:
        rows = [row for row in self.tasks.values() if row["project"] == project]
        skips = [one["was_cancelled"] for row in rows for one in row["annotations"]]
        answered = len(skips) - sum(skips)
        counted = {"total_annotations_number": answered, "skipped_annotations_number": sum(skips)}
        return {"task_number": len(rows), **counted}

    def _import_tasks(self, id: int, request: list[dict[str, Any]], return_task_ids: bool) -> Any:
        made = []
        for one in request:
            number = max(self.tasks, default=0) + 1
            at = self.now()
            row = {"id": number, "project": id, "data": one["data"], "annotations": [], "updated_at": at}
            self.tasks[number] = row
            made.append(number)
        return SimpleNamespace(task_ids=made)

    def _import_predictions(self, id: int, request: list[dict[str, Any]]) -> Any:
        unknown = [one["task"] for one in request if one["task"] not in self.tasks]
        if unknown:
            raise LabelStudioRefused("Label Studio answered 400: unknown task.", 400)
        return SimpleNamespace(created=len(request))

    def _drop(self, ids: list[int]) -> None:
        for number in ids:
            if number in self.tasks and not self.tasks[number]["annotations"]:
                del self.tasks[number]

    def _annotation(self, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        for row in self.tasks.values():
            for one in row["annotations"]:
                if one["id"] == number:
                    return row, one
        raise LabelStudioRefused("Label Studio answered 404: no such annotation.", 404)

    def _listed(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        asked = json.loads(query["query"])
        rows = [row for row in self.tasks.values() if row["project"] == query["project"]]
        wanted = asked.get("selectedItems")
        if wanted is not None:
            rows = [row for row in rows if row["id"] in set(wanted["included"])]
        items = asked["filters"]["items"]
        join = any if asked["filters"]["conjunction"] == "or" else all
        rows = [row for row in rows if not items or join(_fits(row, one) for one in items)]
        column, newest = asked["ordering"][0].partition("tasks:")[2], asked["ordering"][0].startswith("-")
        rows.sort(key=lambda row: row[column], reverse=newest)
        return [self._shown(row) for row in rows[: query["page_size"]]]

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        given = [one | {"created_username": self._called(one["completed_by"])} for one in row["annotations"]]
        skipped = sum(one["was_cancelled"] for one in given)
        counts = {"total_annotations": len(given) - skipped, "cancelled_annotations": skipped}
        return row | counts | {"annotations": given, "updated_at": iso(row["updated_at"]), "data": dict(row["data"])}


def _value(annotation: Mapping[str, Any]) -> str:
    return SKIP if annotation["was_cancelled"] else str(annotation["result"][0]["value"]["choices"][0])


def _fits(row: dict[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a task fits one condition of the data manager's."""
    column, value = wanted["filter"].removeprefix("filter:tasks:"), wanted["value"]
    skipped = sum(one["was_cancelled"] for one in row["annotations"])
    held: Any = {
        "id": row["id"],
        "updated_at": iso(row["updated_at"]),
        "total_annotations": len(row["annotations"]) - skipped,
        "cancelled_annotations": skipped,
        "draft_exists": "false",
        "data.asset_id": row["data"].get("asset_id"),
    }[column]
    return bool(held == value) if wanted["operator"] == "equal" else bool(held > value)
