"""A person's own session in Label Studio, as the browser has it: for simulated experts and tests."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from uuid import UUID

import requests

from attune.labeler.label_studio.client import read
from attune.labeler.label_studio.labeling_config import SKIP, write_result
from attune.labeler.label_studio.logins import LIMITS, submit
from attune.models.errors import LabelStudioRefused, LabelStudioUnreachable


class ExpertSession:
    """Answers the way the labelling page does. Use as a context manager, or `close` it."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session = requests.Session()
        self._orders: dict[int, list[str]] = {}

    @classmethod
    def login(cls, address: str, email: str, password: str) -> Self:
        """Log in; raises LabelStudioRefused for a wrong address or password."""
        session = cls(address)
        page = f"{session.address}/user/login/"
        reply = submit(session._session, page, {"email": email, "password": password, "persist_session": "on"})
        if reply.status_code != 302:
            session.close()
            raise LabelStudioRefused(
                f"Label Studio refused the login of {email}. Check the password. It was shown once, by `attune "
                "expert add`.",
                401,
            )
        return session

    def next_task(self, project: int, label_all: bool = False) -> dict[str, Any] | None:
        """The task that the labelling page would show next (id, data, queue, …), or None where none is left.

        The page asks by its view's order, or by the project's sampling where ``label_all`` was once pressed there.
        """
        body: dict[str, Any] = {"project": str(project)}
        if not label_all:
            body |= {
                "ordering": self._order(project),
                "selectedItems": {"all": False, "included": []},
                "filters": {"conjunction": "and", "items": []},
            }
        try:
            task: dict[str, Any] = self._ask("POST", "/api/dm/actions", body, {"id": "next_task", "project": project})
        except LabelStudioRefused as error:
            if error.status == 404:
                return None
            raise
        return task

    def _order(self, project: int) -> list[str]:
        if project not in self._orders:
            views = self._ask("GET", "/api/dm/views", query={"project": project})
            self._orders[project] = views[0]["data"].get("ordering", [])
        return self._orders[project]

    def answer(self, task_id: int, value: str, lead_time: float = 1.0, once: UUID | None = None) -> int:
        """Submit ``value`` (a class, unsure or skip) after ``lead_time`` seconds; the annotation's id.

        A second answer of the person corrects the first, and has its id. ``once`` names this answer for good: a Label
        Studio without our modules refuses a second one of that name (LabelStudioRefused, 409).
        """
        body = {"result": write_result(value), "lead_time": lead_time, "was_cancelled": value == SKIP, "draft_id": 0}
        if once is not None:
            body["unique_id"] = str(once)
        return int(self._ask("POST", f"/api/tasks/{task_id}/annotations", body)["id"])

    def skip(self, task_id: int) -> int:
        """Press Skip; the annotation's id."""
        return self.answer(task_id, SKIP)

    def edit(self, annotation_id: int, value: str, lead_time: float = 1.0) -> None:
        """Change an answer given before."""
        body = {"result": write_result(value), "was_cancelled": value == SKIP, "lead_time": lead_time}
        self._ask("PATCH", f"/api/annotations/{annotation_id}/", body)

    def draft(self, task_id: int, value: str) -> int:
        """Begin an answer without submitting it; the draft's id."""
        body = {"result": write_result(value), "lead_time": 1.0}
        return int(self._ask("POST", f"/api/tasks/{task_id}/drafts", body)["id"])

    def delete(self, annotation_id: int) -> None:
        """Take an answer back."""
        self._ask("DELETE", f"/api/annotations/{annotation_id}/")

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        try:
            reply = self._session.request(method, self.address + path, json=body, params=query, timeout=LIMITS)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise LabelStudioUnreachable(
                f"Label Studio does not answer at {self.address}. To test each service: `attune doctor`"
            ) from error
        return read(reply)
