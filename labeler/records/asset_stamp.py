"""A stamp of the assets' state: whoever keeps something about all of them reads in one row whether it still holds.

It is drawn at random at the end of each transaction of ours that wrote to the table, and of each migration. A number
that counts could come twice, in a copy of the records that went another way. Who writes to the database by hand deletes
the rows of `asset_stamps`.

A second stamp is of titles and columns alone: a new reading of images, or another place of a file, leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect, select, text
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Asset, AssetStamp, new_key

# Anywhere in a statement: a common table expression comes before its UPDATE.
WRITES = re.compile(
    r"\b(INTO|UPDATE(\s+OR\s+\w+)?(\s+ONLY)?|DELETE\s+FROM(\s+ONLY)?|COPY|TRUNCATE(\s+TABLE)?(\s+ONLY)?)"
    r"\s+(\"?\w+\"?\.)?\"?assets\b",
    re.IGNORECASE,
)
# Of an UPDATE, the names of what it sets; whatever else writes to the table may write titles and columns.
TITLES_OR_COLUMNS = re.compile(r"\b(title_id|columns|INTO|DELETE|COPY|TRUNCATE)\b", re.IGNORECASE)
WRITTEN = "assets were written"
ALL, TITLES = 1, 2  # keys of the two stamps
DRAWN = text(
    "INSERT INTO asset_stamps (id, stamp) VALUES (:id, :stamp) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp"
)


def read(session: Session, which: int = ALL) -> str | None:
    """The stamp of the assets, or of their ``TITLES`` and columns, as ``session`` sees it; None before the first."""
    return session.scalar(select(AssetStamp.stamp).where(AssetStamp.id == which))


def after_migration(connection: Connection) -> None:
    """A new stamp in the migration's own transaction, where there are assets and the schema has stamps."""
    if not inspect(connection).has_table(AssetStamp.__tablename__):
        return
    if connection.execute(select(Asset.id).limit(1)).first() is not None:
        _draw(connection, {ALL, TITLES})


def follow(engine: Engine) -> None:
    """Draw a new stamp in each transaction of ``engine`` that writes to the assets."""
    event.listen(engine, "after_cursor_execute", _note)
    event.listen(engine, "commit", _drawn_if_written)
    event.listen(engine, "rollback", _forget)


def _note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if "assets" in statement and (stamps := stale(statement)):
        connection.info[WRITTEN] = connection.info.get(WRITTEN, frozenset()) | stamps


@lru_cache(maxsize=1024)
def stale(statement: str) -> frozenset[int]:
    """Which stamps hold no longer after ``statement``."""
    if WRITES.search(statement) is None:
        return frozenset()
    return frozenset({ALL, TITLES} if TITLES_OR_COLUMNS.search(statement) else {ALL})


def _drawn_if_written(connection: Connection) -> None:
    _draw(connection, connection.info.pop(WRITTEN, ()))


def _draw(connection: Connection, stamps: Iterable[int]) -> None:
    for number in sorted(stamps):
        connection.execute(DRAWN, {"id": number, "stamp": new_key()})


def _forget(connection: Connection) -> None:
    if not connection.invalidated:  # one that the database ended takes its notes along, and may not be asked
        connection.info.pop(WRITTEN, None)
