"""One stack a workspace: a lock that the kernel lets go of with the process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from attune.labeler.services.parts import PARENT
from attune.labeler.settings import Settings, build
from attune.models.errors import ServiceError

LOCK = "up.lock"
SUPERVISOR = "attune.labeler.services"  # what `Stack` runs
DYING_SECONDS = 2.0  # what a stack killed with -9 leaves running holds the lock for a moment longer
STOPPING_SECONDS = 40.0  # a stack whose starter was killed stops its parts first


@contextmanager
def workspace_lock(settings: Settings) -> Iterator[None]:
    """Hold the workspace's lock. Raises ServiceError that says where the stack is that holds it."""
    lock = FileLock(settings.workspace / LOCK)
    try:
        _acquire(lock, settings)
    except Timeout as error:
        there = build({}, workspace=settings.workspace)
        raise ServiceError(
            f"Attune already runs on {settings.workspace}. Its console is {there.web_address}. Use that one, or "
            "stop it with Ctrl-C in its terminal. To start a second one: `attune up --workspace FOLDER "
            "--free-ports`"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, settings: Settings) -> None:
    try:
        lock.acquire(timeout=DYING_SECONDS)
    except Timeout:
        if not abandoned(settings.workspace):
            raise
        lock.acquire(timeout=STOPPING_SECONDS)


def abandoned(workspace: Path) -> bool:
    """Whether the stack on ``workspace`` is one whose starter is gone: it is about to end."""
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            mine = environment.get("ATTUNE_WORKSPACE") == str(workspace) and SUPERVISOR in process.cmdline()
            if mine and PARENT in environment:
                return process.ppid() != int(environment[PARENT])
        except (psutil.Error, OSError, ValueError):
            continue  # another user's, or gone already
    return False


def check_unlocked(settings: Settings) -> None:
    """Raise ServiceError where a stack runs on this workspace now."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with workspace_lock(settings):
        pass
