"""The page of job kinds: their arguments, queue and what each one does."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from attune.labeler.jobs import jobs
from tests.project.reference.markdown import code, first_line, prose, table

INTRODUCTION = """# Jobs

A job is work that the workers do: learn, embed, publish. The page *Jobs* and `attune doctor` show them. A job has
one of the kinds on this page. Its state is queued, running, done, failed or lost. The scheduler sends lost jobs
again.

Workers take jobs from the queues in this order:
"""


def page() -> str:
    """The whole page."""
    kinds = {kind: function_of(kind) for kind in jobs.KINDS}
    order = "".join(f"{number}. `{queue}`{_of(queue)}\n" for number, queue in enumerate(jobs.QUEUES, 1))
    rows = [[f"[`{kind}`](#{kind})", code(jobs.KINDS[kind][1]), first_line(run.__doc__)] for kind, run in kinds.items()]
    described = [_described(kind, run) for kind, run in kinds.items()]
    return "\n".join([INTRODUCTION, order, table(["kind", "queue", "what it does"], rows), *described])


def _of(queue: str) -> str:
    return " (what Label Studio's webhooks ask for; these are not jobs)" if queue == jobs.HINTS else ""


def function_of(kind: str) -> Callable[..., Any]:
    """The function that does jobs of this kind."""
    module, name = jobs.KINDS[kind][0].split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _described(kind: str, run: Callable[..., Any]) -> str:
    parts = [f"## {kind}\n", f"`{jobs.KINDS[kind][0]}`, queue `{jobs.KINDS[kind][1]}`\n", prose(run.__doc__) + "\n"]
    arguments = list(inspect.signature(run).parameters.values())[2:]  # after the settings and the progress report
    rows = [
        [
            code(("**" if one.kind is inspect.Parameter.VAR_KEYWORD else "") + one.name),
            code(str(one.annotation)),
            "" if one.default is inspect.Parameter.empty else code(repr(one.default)),
        ]
        for one in arguments
    ]
    if rows:
        parts.append(table(["argument", "type", "default"], rows))
    return "\n".join(parts)
