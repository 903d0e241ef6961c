"""DuckDB with limits: little memory, the workspace's disk for the rest, no network and no extensions."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from attune.labeler.settings import Settings

MEMORY = "700MB"
PREFIX = ".performance-"  # of folders for temporary files
LOCK = "lock"  # held in such a folder by the process that works there, and let go of however it ends
BEGUN_SECONDS = 60  # within which the lock of a new folder is taken


@contextmanager
def connection(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection, and a folder for temporary files that goes with it."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    forget(settings.workspace)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=settings.workspace) as folder, FileLock(Path(folder) / LOCK):
        options: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": min(os.cpu_count() or 1, 4),
            "temp_directory": str(Path(folder) / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        opened = duckdb.connect(config=options)
        try:
            opened.execute("SET SESSION enable_progress_bar = false")  # it would go to stdout, into the JSON
            yield opened, Path(folder)
        finally:
            opened.close()


def forget(workspace: Path) -> None:
    """Delete what commands that were killed left: copies of files, perhaps with members' names, and rows on their way
    in. The scheduler asks for it, too: perhaps nobody opens DuckDB again."""
    for left in workspace.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):  # another command has just deleted it, or works in it
            if left.stat().st_mtime < time.time() - BEGUN_SECONDS:
                with FileLock(left / LOCK, timeout=0):
                    shutil.rmtree(left, ignore_errors=True)


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """SQL of the rows of a Parquet file, and no columns that DuckDB makes of folders such as ``canvas=home``."""
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"
