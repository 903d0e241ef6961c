"""One at a time for one person's access to Label Studio: whoever opens it and whoever ends it wait for each other.

PostgreSQL itself holds the lock, for workers on several machines; beside SQLite, which is on one machine, it is a file.
Either is let go of when its process dies, however it dies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.errors import ServiceDown

PATIENCE_SECONDS = 300  # for another who makes the queues of a person: some dozens at most
FOLDER = "turns"


@contextmanager
def hold_access_lock(settings: Settings, email: str, patience_seconds: int = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the person's lock while the block runs; what was read before it may no longer hold.

    Raises ServiceDown where another has held it for ``patience_seconds``. The holder may not ask for it again.
    """
    lock_engine = engine(settings.records_url)
    busy = ServiceDown(
        f"Another process has been changing the access of {email} to Label Studio for {patience_seconds} s. "
        "Attune will try again. To check that Label Studio answers: `attune doctor`"
    )
    if lock_engine.dialect.name != "postgresql":
        folder = settings.workspace / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{_digest(email).hex()}.lock", timeout=patience_seconds)
        try:
            lock.acquire()
        except Timeout as error:
            raise busy from error
        try:
            yield
        finally:
            lock.release()
        return
    with lock_engine.connect() as connection:  # its transaction holds the lock, and ends with the connection
        connection.execute(text(f"SET LOCAL lock_timeout = '{int(patience_seconds)}s'"))
        try:
            key = int.from_bytes(_digest(email), "big", signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        except OperationalError as error:
            raise busy from error
        yield


def _digest(email: str) -> bytes:
    return hashlib.sha256(f"attune:turn:{email}".encode()).digest()[:8]
