"""Who may log in to the console, and as what: expert, owner or admin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from labeler.records.schema import User
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import AlreadyThere, DataError, UnknownExpert

ROLES = ("expert", "owner", "admin")
SHORTEST_PASSWORD = 10


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

    Raises DataError for an address, role or password that cannot be used (naming the field), AlreadyThere where the
    address has a login.
    """
    user = User(
        email=address(email),
        role=_role(role),
        password_hash=_hash(password),
        expert_id=expert_id,
        session_salt=secrets.token_hex(8),
        created_at=now(),
    )
    try:
        with writing(settings) as session:
            session.add(user)
            session.flush()
            return _person(user)
    except IntegrityError as error:
        raise AlreadyThere(
            f"email: {user.email} has a login already. Choose another address, or set that one's password anew."
        ) from error


def verify(settings: Settings, email: str, password: str) -> Person | None:
    """The person whose address and password these are, else None; takes as long for an unknown address."""
    with reading(settings) as session:
        user = session.scalar(select(User).where(User.email == email.strip().casefold(), User.disabled_at.is_(None)))
    held = user.password_hash if user else _nobody()
    return _person(user) if check_password_hash(held, password) and user else None


def find(settings: Settings, user_id: int, salt: str) -> Person | None:
    """The person of a session; None where the login was disabled or its password changed since."""
    with reading(settings) as session:
        user = session.get(User, user_id)
    if user is None or user.disabled_at or not secrets.compare_digest(user.session_salt, salt):
        return None
    return _person(user)


def set_password(settings: Settings, email: str, password: str) -> Person:
    """Replace a password; every session that used the old one ends.

    Raises UnknownExpert for an address without a login, DataError for a password that is too short.
    """
    hashed = _hash(password)
    with writing(settings) as session:
        user = _held(session, email)
        user.password_hash, user.session_salt = hashed, secrets.token_hex(8)
        return _person(user)


def disable(settings: Settings, email: str) -> None:
    """Take a login away; its sessions end at once. The row stays, so that history keeps its names."""
    with writing(settings) as session:
        _held(session, email).disabled_at = now()


def address(email: str) -> str:
    """``email`` as it is kept: trimmed, lower case. Raises DataError where it is no address."""
    trimmed = email.strip().casefold()
    local, _, domain = trimmed.partition("@")
    if not local or not domain or "@" in domain or any(letter.isspace() for letter in trimmed) or len(trimmed) > 254:
        raise DataError(f"email: {email!r} is no address; expected the form name@example.org.")
    return trimmed


def _held(session: Session, email: str) -> User:
    user = session.scalar(select(User).where(User.email == address(email)))
    if user is None:
        raise UnknownExpert(f"Nobody logs in as {address(email)}. `attune expert list` shows the addresses there are.")
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


def _person(user: User) -> Person:
    return Person(user.id, user.email, user.role, user.expert_id, user.session_salt)
