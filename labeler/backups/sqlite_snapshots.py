"""One moment of a SQLite database as a file of its own, while others write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def snapshot(source: Path, target: Path) -> None:
    """Copy the database ``source`` as it is at one moment to ``target``, which is one file without a log.

    SQLite's online backup in one step: readers and, in write-ahead mode, writers go on meanwhile. Raises
    sqlite3.DatabaseError where ``source`` is damaged. Source: https://www.sqlite.org/backup.html
    """
    with (
        closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True, timeout=60)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)
        here.execute("PRAGMA journal_mode=DELETE")
        found = here.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"{source}: {found}")
