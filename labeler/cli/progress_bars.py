"""Progress on stderr: bars that move in a terminal, a line now and then where none can."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Report = Callable[[int, int], None]
Start = Callable[[str], Report]
SILENCE_SECONDS = 5.0  # a demo's reader who sees nothing for longer wonders whether it still works
QUIET_TOTAL = 100  # what has fewer steps than this tells nothing into a log


@contextmanager
def bars(lines: bool = False) -> Iterator[Start]:
    """Yield ``start(label)``, which opens a bar and returns its ``report(done, total)``; all bars share the screen.

    ``lines``: every bar's start is told where stderr is no terminal, else only long ones are.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:

        def start(label: str) -> Report:
            if console.is_terminal:
                return _moving(bar, bar.add_task(label, total=None))
            if lines:
                click.echo(f"{label} …", err=True)
            return _log_progress(label, 0) if lines else _log_progress(label, QUIET_TOTAL, math.inf)

        yield start
        for task in bar.tasks:
            if task.total is None:  # nothing came of it: a bar that waits for good would look like a fault
                bar.remove_task(task.id)


def _moving(bar: Progress, task: TaskID) -> Report:
    return lambda done, total: bar.update(task, completed=done, total=total)


def _log_progress(label: str, least: int, silence: float = SILENCE_SECONDS) -> Report:
    """A line for every tenth of what has ``least`` steps or more, and for a step after ``silence`` seconds."""
    last, at = 0, time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last, at
        if total < max(least, 1):
            return
        tenth = 10 * done // total
        if tenth > last or (done and time.monotonic() - at >= silence):
            last, at = max(tenth, last), time.monotonic()
            click.echo(f"{label}: {done:,} of {total:,}", err=True)

    return report
