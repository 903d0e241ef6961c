"""Sessions of the console: a browser holds a random key, the records its sha256 with whose it is, until one ends it.

Flask's cookie is signed but it is the browser's: whoever copied it kept it. So each page asks here. The table is our
own, as Flask-Session keeps an unnamed blob in a database layer of its own, and writes it at every request: no one could
end all sessions of one person in the same transaction that shuts the person out.
"""

from __future__ import annotations

import secrets as chance
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, delete, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from attune.labeler.records.schema import ConsoleSession, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.files.atomic import digest_bytes

LIFETIME = timedelta(hours=12)  # from the login on, however busy: a working day
SEEN_EVERY = timedelta(minutes=5)  # so that pages read, and write now and then


@dataclass(frozen=True)
class Origin:
    """Where a session was begun: the address on the network, and the browser in words."""

    network_address: str = ""
    browser: str = ""


@dataclass(frozen=True)
class Live:
    """A session that is open; ``here``: the one that asks."""

    origin: Origin
    made_at: datetime
    last_seen: datetime
    here: bool


def begin(session: Session, user_id: int, origin: Origin) -> str:
    """Open a session in the caller's transaction, which has proved who it is; the key for the cookie."""
    key, at = chance.token_urlsafe(32), now()
    times = {"made_at": at, "last_seen": at, "expires_at": at + LIFETIME}
    where = {"network_address": origin.network_address[:255], "browser": origin.browser[:255]}
    session.add(ConsoleSession(user_id=user_id, digest=_digest(key), **where, **times))
    return key


def find(settings: Settings, key: str) -> User | None:
    """Whose open session has this key; None where it ended, ran out, or the login is shut."""
    at = now()
    with reading(settings) as session:
        row = session.execute(_whose(), {"digest": _digest(key), "at": at}).one_or_none()
    if row is None:
        return None
    if row.last_seen < at - SEEN_EVERY:
        _saw(settings, row.id, at)
    user: User = row.User
    return user


def of(settings: Settings, user_id: int, key: str = "") -> list[Live]:
    """The open sessions of a person, the one with ``key`` first, then by when they were last seen."""
    digest = _digest(key)
    with reading(settings) as session:
        rows = session.scalars(select(ConsoleSession).where(ConsoleSession.user_id == user_id, _live(now()))).all()
    sessions = [
        Live(Origin(row.network_address, row.browser), row.made_at, row.last_seen, row.digest == digest) for row in rows
    ]
    return sorted(sessions, key=lambda one: (one.here, one.last_seen), reverse=True)


def is_open(session: Session, user_id: int, key: str) -> bool:
    """Whether the session with this key is the person's and still open, in the caller's transaction."""
    mine = (ConsoleSession.user_id == user_id, ConsoleSession.digest == _digest(key), _live(now()))
    return session.scalar(select(ConsoleSession.id).where(*mine)) is not None


def end(settings: Settings, key: str) -> None:
    """End the session with this key; one that is none is fine."""
    with writing(settings) as session:
        _end(session, ConsoleSession.digest == _digest(key))


def end_others(settings: Settings, user_id: int, key: str = "") -> int:
    """End a person's sessions but the one with ``key``; how many were open."""
    with writing(settings) as session:
        return _end(session, and_(ConsoleSession.user_id == user_id, ConsoleSession.digest != _digest(key)))


def end_all(session: Session, user_id: int) -> int:
    """End a person's sessions in the caller's transaction; how many were open."""
    return _end(session, ConsoleSession.user_id == user_id)


def sweep(session: Session) -> int:
    """Forget the sessions that ran out, with the network addresses they hold; how many."""
    gone = delete(ConsoleSession).where(ConsoleSession.expires_at < now())
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def _end(session: Session, which: ColumnElement[bool]) -> int:
    were_open = session.scalar(select(func.count()).select_from(ConsoleSession).where(which, _live(now()))) or 0
    # Those that ran out too: a clock that is set back must not open them again.
    session.execute(update(ConsoleSession).where(which, ConsoleSession.ended_at.is_(None)).values(ended_at=now()))
    return were_open


def _saw(settings: Settings, number: int, at: datetime) -> None:
    with suppress(OperationalError), writing(settings) as session:  # a page does not fail over a busy database
        seen = update(ConsoleSession).where(ConsoleSession.id == number, ConsoleSession.ended_at.is_(None))
        session.execute(seen.values(last_seen=at))


@cache
def _whose() -> Select[User, int, datetime]:
    """What `find` asks, once for each request: to put it together takes as long as to ask it."""
    return (
        select(User, ConsoleSession.id, ConsoleSession.last_seen)
        .join(ConsoleSession, ConsoleSession.user_id == User.id)
        .where(ConsoleSession.digest == bindparam("digest"), _live(bindparam("at")), User.disabled_at.is_(None))
    )


def _live(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(ConsoleSession.ended_at.is_(None), ConsoleSession.expires_at > at)


def _digest(key: str) -> str:
    return digest_bytes(key.encode())
