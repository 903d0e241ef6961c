"""One stack a workspace: a lock that the kernel lets go of with the process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from labeler.settings import Settings, build
from models.errors import ServiceError

LOCK = "up.lock"
DYING_SECONDS = 2.0  # what a stack killed with -9 leaves running holds the lock for a moment longer


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the workspace's lock. Raises ServiceError that says where the stack is that holds it."""
    lock = FileLock(settings.workspace / LOCK)
    try:
        lock.acquire(timeout=DYING_SECONDS)
    except Timeout as error:
        there = build({}, workspace=settings.workspace)
        raise ServiceError(
            f"Attune already runs on {settings.workspace}: its console is {there.web_address}. Use that one, stop it "
            "with Ctrl-C in its terminal, or name another folder with --workspace and other ports (ATTUNE_WEB_PORT, "
            "ATTUNE_LABEL_STUDIO_PORT, ATTUNE_REDIS_PORT; `attune up --free-ports` finds some)."
        ) from error
    try:
        yield
    finally:
        lock.release()


def check_alone(settings: Settings) -> None:
    """Raise ServiceError where a stack runs on this workspace now."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with alone(settings):
        pass
