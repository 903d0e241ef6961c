"""Histories that are kept on request: under a hash of the viewer, for some days, and erased on request.

The hash is an HMAC with a key of this workspace (HMAC-SHA256): the records hold nobody's name, and without the key
nobody can try names against them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Asset, Watched
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings import secrets as keys
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.recommend.history import History
from attune.models.recommend.history_rows import ReadHistory

MOST_DAYS = 3650
VIEWERS_AT_ONCE = 5_000  # in one query: a database takes only so many values


def titles_by_id(session: Session) -> dict[str, str]:
    """The title of every id that a history may hold: a title's own, and those of its images."""
    rows = session.execute(select(Asset.asset_id, Asset.title_id).where(Asset.removed_at.is_(None))).all()
    return {row.asset_id: row.title_id for row in rows} | {row.title_id: row.title_id for row in rows}


def hashed(settings: Settings, user: str) -> str:
    """What stands for a viewer in the records, 64 hexadecimal digits."""
    key = keys.load(settings.secrets).viewer_key.encode()
    return hmac.new(key, user.encode(), "sha256").hexdigest()


def keep(settings: Settings, history: ReadHistory, days: int) -> int:
    """Keep the likes of a history for ``days``; what a viewer liked already is kept until the later day. How many.

    Raises DataError for a number of days that is not between 1 and ``MOST_DAYS``.
    """
    if not 1 <= days <= MOST_DAYS:
        raise DataError(f"--keep is {days}. Give a number of days from 1 to {MOST_DAYS}.")
    until = now() + timedelta(days=days)
    viewers = {user: hashed(settings, user) for user in history.by_user()}
    likes: dict[str, dict[str, float]] = {viewer: {} for viewer in viewers.values()}
    for row in history.rows:
        if row.liked:
            likes[viewers[row.user]][row.title] = row.at
    names = list(likes)
    with writing(settings) as session:
        sweep(session)  # where no scheduler runs, nobody else does
        for start in range(0, len(names), VIEWERS_AT_ONCE):
            _keep(session, {name: likes[name] for name in names[start : start + VIEWERS_AT_ONCE]}, until)
    return sum(map(len, likes.values()))


def _keep(session: Session, likes: Mapping[str, Mapping[str, float]], until: datetime) -> None:
    """The likes of some viewers: by the hash of each, the time of each title."""
    held = {
        (row.viewer, row.title_id): row
        for row in session.scalars(select(Watched).where(Watched.viewer.in_(list(likes))))
    }
    for viewer, titles in likes.items():
        for title, at in titles.items():
            if (row := held.get((viewer, title))) is None:
                session.add(Watched(viewer=viewer, title_id=title, at=at, expires_at=until))
            else:
                row.expires_at = max(row.expires_at, until)
    session.flush()
    session.expunge_all()


def erase(settings: Settings, user: str | None = None) -> int:
    """Erase what is kept of one viewer, or of all; how many rows."""
    gone = delete(Watched)
    if user is not None:
        gone = gone.where(Watched.viewer == hashed(settings, user.strip()))  # a history's names are stripped, too
    with writing(settings) as session:
        return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def sweep(session: Session) -> int:
    """Erase what was to be kept until now; how many rows."""
    return int(session.execute(delete(Watched).where(Watched.expires_at <= now())).rowcount)  # type: ignore[attr-defined]


def stored(settings: Settings, titles: dict[str, int]) -> History:
    """All likes that are kept still, of the titles that are in the pool, with their numbers."""
    with reading(settings) as session:
        kept = select(Watched.viewer, Watched.title_id, Watched.at).where(Watched.expires_at > now())
        rows = [row for row in session.execute(kept.order_by(Watched.at)) if row.title_id in titles]
    users, user = np.unique(np.array([row.viewer for row in rows], dtype=np.str_), return_inverse=True)
    title = np.array([titles[row.title_id] for row in rows], dtype=np.intp)
    at = np.array([row.at for row in rows], dtype=np.float64)
    return History(user.reshape(-1).astype(np.intp), title, at, tuple(users.tolist()), tuple(titles))
