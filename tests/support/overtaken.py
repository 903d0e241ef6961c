"""Which of two answers to one task Label Studio keeps, for desks without one; `test_answering` asks the real one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attune.labeler.label_studio import answering
from attune.models.clock import now


class Writers:
    """Who wrote each task's annotation last, and when."""

    def __init__(self) -> None:
        self.last: dict[int, tuple[str, datetime]] = {}

    def refusal(self, one: dict[str, Any]) -> str:
        """Why an answer other than the one held is not stored, or nothing: then it is written."""
        once, at = self.last.get(one["task"], ("", None))
        if at is not None and once != one["once"]:
            if at > now() - timedelta(seconds=one["age"]):
                return answering.SUPERSEDED
            if one["first"]:
                return answering.ANSWERED
        self.last[one["task"]] = (one["once"], now())
        return ""
