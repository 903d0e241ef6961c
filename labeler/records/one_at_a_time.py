"""One at a time, by name: for what reads the records, asks Label Studio and writes, where two would do it twice.

PostgreSQL itself holds the lock, for processes on several machines; beside SQLite, which is on one machine, it is a
file. Threads wait for each other as processes do, and either is let go of when its process dies, however it dies.
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

FOLDER = "turns"


@contextmanager
def hold_lock(settings: Settings, name: str, patience_seconds: int, busy: str) -> Iterator[None]:
    """Hold the lock ``name`` while the block runs; what was read before it may no longer hold.

    Raises ServiceDown, which says ``busy``, where another has held it for ``patience_seconds``. The holder may not ask
    for it again.
    """
    lock_engine = engine(settings.records_url)
    digest = hashlib.sha256(f"attune:{name}".encode()).digest()[:8]
    if lock_engine.dialect.name != "postgresql":
        folder = settings.workspace / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{digest.hex()}.lock", timeout=patience_seconds)
        try:
            lock.acquire()
        except Timeout as error:
            raise ServiceDown(busy) from error
        try:
            yield
        finally:
            lock.release()
        return
    with lock_engine.connect() as connection:  # its transaction holds the lock, and ends with the connection
        connection.execute(text(f"SET LOCAL lock_timeout = '{int(patience_seconds)}s'"))
        try:
            key = int.from_bytes(digest, "big", signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        except OperationalError as error:
            raise ServiceDown(busy) from error
        yield
