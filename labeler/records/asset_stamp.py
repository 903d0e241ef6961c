"""A stamp of the assets' state: whoever keeps something about all of them reads in one row whether it still holds.

It is drawn at random at the end of each transaction of ours that wrote to the table, and of each migration. A number
that counts could come twice, in a copy of the records that went another way. Who writes to the database by hand deletes
the row of `asset_stamps`.
"""

from __future__ import annotations

import re
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
WRITTEN = "assets were written"
DRAWN = text(
    "INSERT INTO asset_stamps (id, stamp) VALUES (1, :stamp) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp"
)


def read(session: Session) -> str | None:
    """The stamp of the assets as ``session`` sees them; None before the first."""
    return session.scalar(select(AssetStamp.stamp))


def after_migration(connection: Connection) -> None:
    """A new stamp in the migration's own transaction, where there are assets and the schema has stamps."""
    if not inspect(connection).has_table(AssetStamp.__tablename__):
        return
    if connection.execute(select(Asset.id).limit(1)).first() is not None:
        _draw(connection)


def follow(engine: Engine) -> None:
    """Draw a new stamp in each transaction of ``engine`` that writes to the assets."""
    event.listen(engine, "after_cursor_execute", _note)
    event.listen(engine, "commit", _drawn_if_written)
    event.listen(engine, "rollback", _forget)


def _note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if "assets" in statement and _writes(statement):
        connection.info[WRITTEN] = True


@lru_cache(maxsize=1024)
def _writes(statement: str) -> bool:
    return WRITES.search(statement) is not None


def _drawn_if_written(connection: Connection) -> None:
    if connection.info.pop(WRITTEN, False):
        _draw(connection)


def _draw(connection: Connection) -> None:
    connection.execute(DRAWN, {"stamp": new_key()})


def _forget(connection: Connection) -> None:
    if not connection.invalidated:  # one that the database ended takes its notes along, and may not be asked
        connection.info.pop(WRITTEN, None)
