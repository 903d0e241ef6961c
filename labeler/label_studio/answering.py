"""Answers given on Attune's own labelling page, brought to Label Studio as annotations of the expert who gave them.

Needs Attune's modules inside Label Studio (``django/attune_answers.py``): its API writes another person's answer only
in the administrator's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.labeling_config import SKIP, write_result
from attune.models.errors import LabelStudioRefused

ANSWERS = "/attune/answers"
AT_ONCE = 50
# Why Label Studio did not store an answer.
GONE, OTHER, OUTSIDE, NOT_TAKEN = "gone", "other task", "no member", "not taken"


@dataclass(frozen=True)
class Given:
    """One answer: ``once`` names it for good, ``key`` is the task's, ``value`` a class, unsure or skip."""

    once: str
    task: int
    key: str
    value: str
    lead_seconds: float


@dataclass(frozen=True)
class Kept:
    """What became of one: the annotation and its task's data as Label Studio has them now, or why it has none."""

    once: str
    refused: str = ""
    annotation: Mapping[str, Any] = field(default_factory=dict)
    task: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)


def send(ls: LabelStudio, email: str, answers: Sequence[Given]) -> list[Kept]:
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
                "result": write_result(one.value),
                "was_cancelled": one.value == SKIP,
                "lead_time": one.lead_seconds,
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
