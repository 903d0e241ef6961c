"""A stamp of the assets' state: whoever keeps something about all of them reads in one row whether it still holds.

It is drawn at random at the end of each transaction that wrote to the table, whichever statement did so. A number that
counts could come twice, in a copy of the records that went another way.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Asset, AssetStamp

WRITES = re.compile(r"\s*(INSERT\s[^(]*INTO|UPDATE|DELETE\s+FROM)\s+\"?assets\b", re.IGNORECASE)
WRITTEN = "assets were written"
DRAWN = text(
    "INSERT INTO asset_stamps (id, stamp) VALUES (1, :stamp) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp"
)


def read(session: Session) -> str | None:
    """The stamp of the assets as ``session`` sees them; None before the first."""
    return session.scalar(select(AssetStamp.stamp))


def draw(session: Session) -> None:
    """A new stamp, where there are assets: what wrote to them was none of `follow`'s statements, a migration say."""
    if session.scalar(select(Asset.id).limit(1)) is not None:
        session.execute(DRAWN, {"stamp": uuid4().hex})


def follow(engine: Engine) -> None:
    """Draw a new stamp in each transaction of ``engine`` that writes to the assets."""
    event.listen(engine, "after_cursor_execute", _note)
    event.listen(engine, "commit", _draw)
    event.listen(engine, "rollback", _forget)


def _note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if WRITES.match(statement):
        connection.info[WRITTEN] = True


def _draw(connection: Connection) -> None:
    if connection.info.pop(WRITTEN, False):
        connection.execute(DRAWN, {"stamp": uuid4().hex})


def _forget(connection: Connection) -> None:
    connection.info.pop(WRITTEN, None)
