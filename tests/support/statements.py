"""SQL that every engine of this process compiles once: each test has records of its own, and so an engine of its own,
which compiled each statement again. Outside tests a process has one engine, and keeps what it compiled."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

MOST = 2000  # statements; an engine alone keeps 500


def share() -> None:
    """From now on, engines of SQLite have one dialect, by which SQLAlchemy and its mappers find what they compiled."""
    dialects: dict[frozenset[tuple[str, Any]], SQLiteDialect_pysqlite] = {}
    compiled: LRUCache[Any, Any] = LRUCache(MOST)
    begin = Engine.__init__

    def dialect(kind: type[SQLiteDialect_pysqlite], **given: Any) -> SQLiteDialect_pysqlite:
        return dialects.setdefault(frozenset(given.items()), object.__new__(kind))

    def begin_once(one: SQLiteDialect_pysqlite, **given: Any) -> None:
        if not vars(one):
            SQLiteDialect.__init__(one, **given)

    def begin_sharing(engine: Engine, *given: Any, **named: Any) -> None:
        begin(engine, *given, **named)
        if isinstance(engine.dialect, SQLiteDialect_pysqlite):
            engine._compiled_cache = compiled

    SQLiteDialect_pysqlite.__new__ = staticmethod(dialect)  # type: ignore[assignment]
    SQLiteDialect_pysqlite.__init__ = begin_once  # type: ignore[method-assign]
    Engine.__init__ = begin_sharing  # type: ignore[method-assign]
