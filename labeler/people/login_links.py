"""Personal links into the console: they open one session, once, within three days; kept as their sha256 alone."""

from __future__ import annotations

import secrets as chance
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from attune.labeler.people import users
from attune.labeler.people.login_sessions import Origin
from attune.labeler.people.users import Entered, May
from attune.labeler.records.schema import SignInLink, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import BadLink, DataError, ExpiredLink
from attune.models.files.atomic import digest_bytes

LIFETIME = timedelta(days=3)
PATH = "/welcome/"


@dataclass(frozen=True)
class LinkRecord:
    """A link that was made for someone: when, and by whom (an address, or a user of the machine; empty: not known)."""

    at: datetime
    by: str


def make(settings: Settings, email: str, may: May = users.anybody, who: str = "") -> str:
    """The address of a new link for the login ``email``; an older one opens nothing any more. ``who`` asks for it.

    Raises UnknownExpert for an address without a login, DataError for a login that is shut, and what ``may`` raises.
    """
    text = chance.token_urlsafe(32)
    with writing(settings) as session:
        user = users.find_user(session, email)
        may(user.role)
        if user.disabled_at is not None:
            raise DataError(
                f"The login {user.email} is disabled, so a link would not work. Enable it first: `attune user "
                f"enable {user.email}`"
            )
        older = update(SignInLink).where(SignInLink.user_id == user.id, SignInLink.used_at.is_(None))
        session.execute(older.values(used_at=now()))
        times = {"made_at": now(), "expires_at": now() + LIFETIME}
        session.add(SignInLink(user_id=user.id, digest=_digest(text), made_by=who, **times))
    return f"{settings.web_address}{PATH}{text}"


def of(settings: Settings, user_id: int, most: int = 20) -> list[LinkRecord]:
    """The links that were made for a login, newest first: whoever held one could come in as this person."""
    rows = select(SignInLink.made_at, SignInLink.made_by).where(SignInLink.user_id == user_id)
    with reading(settings) as session:
        newest = session.execute(rows.order_by(SignInLink.id.desc()).limit(most))
        return [LinkRecord(at, by) for at, by in newest]


def user_of_link(settings: Settings, text: str) -> str:
    """The address of the person whom the link would let in. Raises BadLink, ExpiredLink."""
    with reading(settings) as session:
        row = session.execute(
            select(SignInLink, User).join(User, User.id == SignInLink.user_id).where(SignInLink.digest == _digest(text))
        ).one_or_none()
    if row is None or row.User.disabled_at is not None:
        raise BadLink("This login link is not valid. Copy the whole link, or ask its sender for a new one.")
    if row.SignInLink.used_at is not None or row.SignInLink.expires_at <= now():
        raise ExpiredLink(
            "This login link was used, was replaced by a newer one, or has expired. A link works once, within "
            "three days. Log in with your password, or ask for a new link."
        )
    return str(row.User.email)


def use(settings: Settings, text: str, origin: Origin) -> Entered:
    """Let the person in, this once, by a new session; of two at the same instant one comes in.

    Raises BadLink, ExpiredLink.
    """
    email = user_of_link(settings, text)
    with writing(settings) as session:
        user = users.find_user(session, email)
        mine = (SignInLink.digest == _digest(text), SignInLink.used_at.is_(None), SignInLink.expires_at > now())
        done = session.execute(update(SignInLink).where(*mine).values(used_at=now()))
        if not done.rowcount:  # type: ignore[attr-defined]
            raise ExpiredLink(
                "This login link was used a moment ago. Log in with your password, or ask for a new link."
            )
        return users.enter(session, user, origin)


def _digest(text: str) -> str:
    return digest_bytes(text.encode())
