"""Answers given on Attune's own labelling page, brought to Label Studio as annotations of the expert who gave them.

Needs Attune's modules inside Label Studio (``django/attune_answers.py``): its API writes another person's answer only
in the administrator's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from attune.labeler.label_studio import grid_project
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.label_studio.labeling_config import SKIP, write_result
from attune.models.errors import LabelStudioRefused

ANSWERS = "/attune/answers"
AT_ONCE = 50
# Why Label Studio did not store an answer.
GONE, OTHER, OUTSIDE, NOT_TAKEN = "gone", "other task", "no member", "not taken"
SUPERSEDED, ANSWERED = "superseded", "answered before"


@dataclass(frozen=True)
class Given:
    """One answer: ``once`` names it for good, ``key`` is the task's, ``value`` a class, unsure or skip.

    ``age``: seconds since it was given. Label Studio keeps an answer of the same expert that was stored since.
    ``is_first``: the expert was shown the task as an open one, so that this answer may not take another's place.
    ``more_seconds``: of looks in which it was corrected before it was sent, beside the ``lead_seconds`` of its first.
    """

    once: str
    task: int
    key: str
    value: str
    lead_seconds: float
    age: float = 0.0
    is_first: bool = False
    more_seconds: float = 0.0

    @property
    def result(self) -> list[dict[str, Any]]:
        """The annotation's result list."""
        return write_result(self.value)

    @property
    def is_skip(self) -> bool:
        """Whether nothing is said."""
        return self.value == SKIP


@dataclass(frozen=True)
class GivenPage:
    """The answer to a page of images, as `Given`; ``ticks`` is None for a page that is skipped."""

    once: str
    task: int
    key: str
    ticks: Ticks | None
    lead_seconds: float
    age: float = 0.0
    is_first: bool = False
    more_seconds: float = 0.0

    @property
    def result(self) -> list[dict[str, Any]]:
        """The annotation's result list, in one order, so that to send it again changes nothing."""
        if self.ticks is None:
            return []
        return grid_project.write_ticks(
            *(sorted(one) for one in (self.ticks.ticked, self.ticks.unsure, self.ticks.left))
        )

    @property
    def is_skip(self) -> bool:
        """Whether nothing is said."""
        return self.ticks is None


class Sendable(Protocol):
    """What `send` needs of an answer."""

    @property
    def once(self) -> str: ...
    @property
    def task(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def lead_seconds(self) -> float: ...
    @property
    def age(self) -> float: ...
    @property
    def is_first(self) -> bool: ...
    @property
    def more_seconds(self) -> float: ...
    @property
    def result(self) -> list[dict[str, Any]]: ...
    @property
    def is_skip(self) -> bool: ...


@dataclass(frozen=True)
class Kept:
    """What became of one: the annotation and its task's data as Label Studio has them now, or why it has none."""

    once: str
    refused: str = ""
    annotation: Mapping[str, Any] = field(default_factory=dict)
    task: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)


def send(ls: LabelStudio, email: str, answers: Sequence[Sendable]) -> list[Kept]:
    """Store ``answers`` of the expert ``email``, in their order; what became of each. To repeat it changes nothing.

    Raises LabelStudioUnreachable, and LabelStudioRefused (status 404) where Label Studio runs without our modules.
    """
    body = {
        "email": email,
        "answers": [
            {
                "once": one.once,
                "task": one.task,
                "key": one.key,
                "result": one.result,
                "was_cancelled": one.is_skip,
                "lead_time": one.lead_seconds,
                "age": one.age,
                "first": one.is_first,
                "more": one.more_seconds,
            }
            for one in answers[:AT_ONCE]
        ],
    }
    try:
        reply = ls.request("POST", ANSWERS, body)
    except LabelStudioRefused as error:
        if error.status == 404:
            raise LabelStudioRefused(
                f"Label Studio at {ls.address} runs without Attune's modules, so it takes no answers from this page. "
                "Answer in Label Studio itself, or start it with the modules (see docs/explanation/security.md).",
                404,
            ) from error
        raise
    return [_kept(one) for one in reply["answers"]]


def _kept(row: Mapping[str, Any]) -> Kept:
    if row.get("refused"):
        return Kept(str(row["once"]), str(row["refused"]))
    task = row["task"]
    return Kept(str(row["once"]), "", row["annotation"], int(task["id"]), task["data"])
