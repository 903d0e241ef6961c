"""Who may log in to the console, and as what: expert, owner or admin.

A login is open, shut (``disable``, until ``enable``) or removed: the row stays, so that history keeps its names, but
no password fits it. Some open admin always remains.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from labeler.records.schema import SignInLink, User
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import AlreadyThere, DataError, UnknownExpert

ROLES = ("expert", "owner", "admin")
SHORTEST_PASSWORD = 10
GONE = ""  # no password has this hash


@dataclass(frozen=True)
class Person:
    """A login as the rest of the program sees it; ``salt`` changes with the password and ends older sessions."""

    id: int
    email: str
    role: str
    expert_id: int | None
    salt: str


def create(settings: Settings, email: str, role: str, password: str, expert_id: int | None = None) -> Person:
    """Make a login; ``expert_id`` ties it to the expert whose queues it opens.

    One that was removed opens again with what is given here. Raises DataError for an address, role or password that
    cannot be used (naming the field), AlreadyThere where the address has a login.
    """
    given = {"role": _role(role), "password_hash": _hash(password), "expert_id": expert_id}
    user = User(email=address(email), session_salt=secrets.token_hex(8), created_at=now(), **given)
    try:
        with writing(settings) as session:
            before = session.scalar(select(User).where(User.email == user.email, User.password_hash == GONE))
            if before is not None:
                before.role, before.password_hash, before.disabled_at = user.role, user.password_hash, None
                before.session_salt, before.expert_id = user.session_salt, expert_id or before.expert_id
                _end_links(session, before)
                return person(before)
            session.add(user)
            session.flush()
            return person(user)
    except IntegrityError as error:
        raise AlreadyThere(
            f"email: {user.email} has a login already. Choose another address, or set that one's password anew."
        ) from error


def verify(settings: Settings, email: str, password: str) -> Person | None:
    """The person whose address and password these are, else None; takes as long for an unknown address."""
    with reading(settings) as session:
        user = session.scalar(select(User).where(User.email == email.strip().casefold(), User.disabled_at.is_(None)))
    kept = user.password_hash if user else _nobody()
    return person(user) if check_password_hash(kept, password) and user else None


def find(settings: Settings, user_id: int, salt: str) -> Person | None:
    """The person of a session; None where the login was disabled or its password changed since."""
    with reading(settings) as session:
        user = session.get(User, user_id)
    if user is None or user.disabled_at or not secrets.compare_digest(user.session_salt, salt):
        return None
    return person(user)


def set_password(settings: Settings, email: str, password: str) -> Person:
    """Replace a password; every session that used the old one ends, and so does a personal link.

    Raises UnknownExpert for an address without a login, DataError for a password that is too short.
    """
    hashed = _hash(password)
    with writing(settings) as session:
        user = held(session, email)
        user.password_hash, user.session_salt = hashed, secrets.token_hex(8)
        _end_links(session, user)
        return person(user)


def set_role(settings: Settings, email: str, role: str) -> Person:
    """Change what a login may do; its sessions and links end at once: neither goes on with rights of before, nor does a
    link that was made for an expert open an administrator's session.

    Raises UnknownExpert, DataError for an unknown role, for the last open admin, and for an expert's role without an
    expert behind it.
    """
    with writing(settings) as session:
        user = held(session, email)
        if _role(role) == "expert" and user.expert_id is None:
            raise DataError(
                f"role: {user.email} answers nothing, so the role expert would open nothing. Make an expert of them "
                f"first: `attune expert add {user.email}`."
            )
        if role != "admin":
            _keep_an_admin(session, user, "given another role")
        user.role, user.session_salt = role, secrets.token_hex(8)
        _end_links(session, user)
        return person(user)


def disable(settings: Settings, email: str) -> None:
    """Shut a login until ``enable``; its sessions end at once. Raises UnknownExpert, DataError for the last admin."""
    with writing(settings) as session:
        user = held(session, email)
        _keep_an_admin(session, user, "shut")
        user.disabled_at, user.session_salt = now(), secrets.token_hex(8)
        _end_links(session, user)


def enable(settings: Settings, email: str) -> Person:
    """Open a login that was shut; the password is the one of before. Raises UnknownExpert."""
    with writing(settings) as session:
        user = held(session, email)
        user.disabled_at = None
        return person(user)


def remove(settings: Settings, email: str) -> None:
    """Take a login away for good; ``create`` makes it anew. Raises UnknownExpert, DataError for the last admin."""
    with writing(settings) as session:
        user = held(session, email)
        _keep_an_admin(session, user, "removed")
        user.disabled_at = user.disabled_at or now()
        user.password_hash, user.session_salt = GONE, secrets.token_hex(8)
        _end_links(session, user)


def role_of(settings: Settings, email: str) -> str | None:
    """The role of the login ``email``, shut ones too; None where there is none or it was removed."""
    with reading(settings) as session:
        return session.scalar(select(User.role).where(User.email == address(email), User.password_hash != GONE))


def every(settings: Settings, roles: Sequence[str] = ROLES) -> list[User]:
    """All logins of ``roles`` that were not removed, by address."""
    with reading(settings) as session:
        wanted = select(User).where(User.role.in_(roles), User.password_hash != GONE)
        return list(session.scalars(wanted.order_by(User.email)))


def _end_links(session: Session, user: User) -> None:
    """Let no personal link that is still about open what the login is from now on."""
    waiting = update(SignInLink).where(SignInLink.user_id == user.id, SignInLink.used_at.is_(None))
    session.execute(waiting.values(used_at=now()))


def _keep_an_admin(session: Session, user: User, done: str) -> None:
    """Raise DataError where ``user`` is the one open admin; two at once wait for each other's rows (PostgreSQL)."""
    admins = select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
    if list(session.scalars(admins.with_for_update())) == [user.id]:
        raise DataError(
            f"{user.email} is the last administrator and cannot be {done}: nobody could manage people any more. Make "
            "another one first: `attune user add EMAIL --role admin`."
        )


def address(email: str) -> str:
    """``email`` as it is kept: trimmed, lower case. Raises DataError where it is no address."""
    trimmed = email.strip().casefold()
    local, _, domain = trimmed.partition("@")
    if not local or not domain or "@" in domain or any(letter.isspace() for letter in trimmed) or len(trimmed) > 254:
        raise DataError(f"email: {email!r} is no address; expected the form name@example.org.")
    return trimmed


def held(session: Session, email: str) -> User:
    """The login ``email``, shut ones too, in the caller's transaction. Raises UnknownExpert."""
    user = session.scalar(select(User).where(User.email == address(email), User.password_hash != GONE))
    if user is None:
        raise UnknownExpert(
            f"Nobody logs in as {address(email)}. `attune expert list` and `attune user list` show the addresses "
            "there are."
        )
    return user


def _role(role: str) -> str:
    if role not in ROLES:
        raise DataError(f"role: {role!r} is none of {', '.join(ROLES)}.")
    return role


def _hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise DataError(
            f"password: {len(password)} characters are too few; expected at least {SHORTEST_PASSWORD}. "
            "Four unrelated words make a good one."
        )
    return generate_password_hash(password, method="scrypt")


@lru_cache(maxsize=1)
def _nobody() -> str:
    """The hash that a password is checked against where there is no such address, so that the time tells nothing."""
    return generate_password_hash(secrets.token_hex(16), method="scrypt")


def person(user: User) -> Person:
    """A row as the rest of the program sees it."""
    return Person(user.id, user.email, user.role, user.expert_id, user.session_salt)
