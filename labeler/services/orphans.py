"""What a stack killed with -9 left running: found by the mark in its environment, and stopped before the next start."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import psutil

from attune.labeler.services.parts import MARK


def sweep(workspace: Path, grace_seconds: float = 5.0) -> int:
    """Stop every process that a stack on ``workspace`` started; how many there were.

    To be called only under the workspace's lock, when no stack is meant to run.
    """
    processes = started_by_stack(workspace)
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(processes, timeout=grace_seconds)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=grace_seconds)
    return len(processes)


def started_by_stack(workspace: Path) -> list[psutil.Process]:
    """The processes that a stack on ``workspace`` started."""
    return [process for process in psutil.process_iter() if _is_ours(process, workspace)]


def _is_ours(process: psutil.Process, workspace: Path) -> bool:
    try:
        return bool(process.environ().get(MARK) == str(workspace))
    except (psutil.Error, OSError):
        return False  # another user's, or gone already


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.Error):
        process.send_signal(number)
