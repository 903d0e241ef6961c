"""Answers of the records that are kept until the records change: what pipelines ask thousands of times a night."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

from sqlalchemy import make_url

Answer = TypeVar("Answer")
MOST = 1000  # answers kept at once


class _Watch:
    """A connection of its own that only asks SQLite whether anyone else, in any process, has committed since."""

    def __init__(self, path: str) -> None:
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def moment(self) -> int:
        with self.lock:
            return int(self.connection.execute("PRAGMA data_version").fetchone()[0])


@lru_cache(maxsize=8)
def _watch(path: str) -> _Watch:
    return _Watch(path)


def moment(url: str) -> int | None:
    """A number that changes with every commit to the records at ``url``; None where only asking tells (PostgreSQL).

    SQLite's ``PRAGMA data_version`` (sqlite.org/pragma.html): it differs if and only if another connection has
    committed in between, and this one never writes. Costs some microseconds; a query through the session a few hundred.
    """
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return None
    return _watch(parts.database).moment()


class CommitCache(Generic[Answer]):
    """The answers to one kind of question, forgotten at the next commit to the records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: tuple[str, int] | None = None
        self._kept: dict[Hashable, Answer] = {}

    def get(self, url: str, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The answer to ``key``: the one kept, or what ``ask`` finds now; None, and what it raises, is not kept."""
        number = moment(url)
        if number is None:
            return ask()
        # Read before asking: an answer may be newer than its moment, never older.
        at = (url, number)
        with self._lock:
            if self._at != at:
                self._at, self._kept = at, {}
            if key in self._kept:
                return self._kept[key]
        value = ask()
        with self._lock:
            if value is not None and self._at == at and len(self._kept) < MOST:
                self._kept[key] = value
        return value
