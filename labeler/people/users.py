"""Who may log in to the console, and as what: expert, owner or admin.

A login is open, shut (``disable``, until ``enable``) or removed: the row stays, so that history keeps its names, but
no password fits it. Some open admin always remains. A new password, another role and any end of access close every
session and login link at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, normalize

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from attune.labeler.people import end_access, end_label_studio_access, login_sessions
from attune.labeler.people.end_access import Outcome
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import Expert, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, UnknownExpert

ROLES = ("expert", "owner", "admin")
May = Callable[[str | None], None]  # raises where the viewer may not change a login of this role (None: no login)
SHORTEST_PASSWORD = 10
LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # before the @, in lower case
GONE = end_access.GONE


def anybody(_role: str | None) -> None:
    """A `May` for whoever may change every login, such as the command line."""


@dataclass(frozen=True)
class Person:
    """A login as the rest of the program sees it."""

    id: int
    email: str
    role: str
    expert_id: int | None


@dataclass(frozen=True)
class Entered:
    """Someone who has just come in, with the key of the new session for the browser's cookie."""

    person: Person
    key: str


def create(settings: Settings, email: str, role: str, password: str, expert_id: int | None = None) -> Person:
    """Make a login; ``expert_id`` ties it to the expert whose queues it opens.

    One that was removed opens again with what is given here. Raises DataError for an address, role or password that
    cannot be used (naming the field), AlreadyThere where the address has a login.
    """
    fields = {"role": _role(role), "password_hash": _hash(password), "expert_id": expert_id}
    user = User(email=new_address(email), created_at=now(), **fields)
    try:
        with writing(settings) as session:
            before = session.scalar(select(User).where(User.email == user.email, User.password_hash == GONE))
            if before is not None:
                before.role, before.password_hash, before.disabled_at = user.role, user.password_hash, None
                before.expert_id = expert_id or before.expert_id
                end_access.end_logins(session, before)
                return person(before)
            session.add(user)
            session.flush()
            return person(user)
    except IntegrityError as error:
        raise AlreadyThere(
            f"email: {user.email} already has a login. Use another email address, or give this one a new "
            f"password: `attune user password {user.email}`"
        ) from error


def verify(settings: Settings, email: str, password: str) -> Person | None:
    """The person whose address and password these are, else None; takes as long for an unknown address."""
    user = _proved(settings, email, password)
    return person(user) if user else None


def log_in(settings: Settings, email: str, password: str, origin: Origin) -> Entered | None:
    """Begin a session for the person who knows the password, else None; takes as long for an unknown address."""
    proved = _proved(settings, email, password)
    if proved is None:
        return None
    # Hashing takes a while: a password that was replaced in the meantime, or a login that was shut, opens nothing.
    same = (User.id == proved.id, User.password_hash == proved.password_hash, User.disabled_at.is_(None))
    with writing(settings) as session:
        user = session.scalar(select(User).where(*same).with_for_update())
        return enter(session, user, origin) if user else None


def enter_proved(settings: Settings, email: str, origin: Origin) -> Entered | None:
    """Begin a session for whom somebody trusted has proved to be ``email``; None where that is no open login."""
    with writing(settings) as session:
        mine = (User.email == email, User.disabled_at.is_(None), User.password_hash != GONE)
        user = session.scalar(select(User).where(*mine).with_for_update())
        return enter(session, user, origin) if user else None


def enter(session: Session, user: User, origin: Origin) -> Entered:
    """Begin a session in the caller's transaction, which has proved who it is."""
    return Entered(person(user), login_sessions.begin(session, user.id, origin))


def _proved(settings: Settings, email: str, password: str) -> User | None:
    with reading(settings) as session:
        user = session.scalar(select(User).where(User.email == email.strip().casefold(), User.disabled_at.is_(None)))
    kept = user.password_hash if user else _unknown_user_hash()
    return user if check_password_hash(kept, password) and user else None


def set_password(settings: Settings, email: str, password: str) -> Person:
    """Replace a password; every session and login link of before ends.

    Raises UnknownExpert for an address without a login, DataError for a password that is too short.
    """
    with _new_password(settings, email, password) as (_, user):
        return person(user)


def choose_password(settings: Settings, email: str, password: str, origin: Origin, key: str) -> Entered:
    """Replace one's own password: as ``set_password``, and a new session begins in the browser that asked.

    ``key`` is of the session that asks. Raises DataError where it, or the login, has ended meanwhile: a thief who asks
    while someone takes the password away keeps nothing.
    """
    with _new_password(settings, email, password, key) as (session, user):
        if user.disabled_at is not None:
            raise DataError(f"The login {user.email} is disabled. Ask an admin to enable it.")
        return enter(session, user, origin)


@contextmanager
def _new_password(
    settings: Settings, email: str, password: str, key: str | None = None
) -> Iterator[tuple[Session, User]]:
    hashed = _hash(password)
    with writing(settings) as session:
        user = find_user(session, email)
        if key is not None and not login_sessions.is_open(session, user.id, key):
            raise DataError("Your session ended a moment ago, so the password did not change. Log in again.")
        user.password_hash = hashed
        end_access.end_logins(session, user)
        yield session, user


def set_role(settings: Settings, email: str, role: str) -> Person:
    """Change what a login may do; its sessions and links end at once: neither goes on with rights of before, nor does a
    link that was made for an expert open an administrator's session.

    Raises UnknownExpert, DataError for an unknown role, for the last open admin, and for an expert's role without an
    expert behind it.
    """
    _role(role)
    with writing(settings) as session:
        if role == "expert":
            _refuse_without_expert(session, address(email))
        is_admin = role == "admin"
        user = (
            find_user(session, email) if is_admin else _find_unless_last_admin(session, email, "given a different role")
        )
        user.role = role
        end_access.end_logins(session, user)
        return person(user)


def disable(settings: Settings, email: str, wait: bool = False, may: May = anybody) -> Outcome:
    """Shut a login until ``enable``: its sessions and links end at once, Label Studio follows by a job.

    With ``wait`` its end is waited for. Raises UnknownExpert, DataError for the last admin.
    """
    with writing(settings) as session:
        user = _find_unless_last_admin(session, email, "disabled")
        may(user.role)
        job_id = end_access.end(session, user.email)
    return end_label_studio_access.run_end_job(settings, job_id, wait)


def enable(settings: Settings, email: str, password: str, may: May = anybody) -> Person:
    """Open a login that was shut, with a new password: nothing of before opens it.

    Raises UnknownExpert, AlreadyThere where it is open, DataError for an expert who has left.
    """
    hashed = _hash(password)
    with writing(settings) as session:
        user = find_user(session, email)
        may(user.role)
        if user.disabled_at is None:
            raise AlreadyThere(
                f"The login {user.email} is not disabled. Nothing was changed. For a new link: `attune user "
                f"link {user.email}`"
            )
        former_expert = session.scalar(select(Expert).where(Expert.email == user.email, Expert.removed_at.is_not(None)))
        if former_expert is not None and user.role == "expert":
            raise DataError(
                f"{user.email} was removed. To add the person as an expert again: `attune expert add {user.email}`"
            )
        user.disabled_at, user.password_hash = None, hashed
        end_access.end_logins(session, user)
        return person(user)


def remove(settings: Settings, email: str, wait: bool = False, may: May = anybody) -> Outcome:
    """Take a login away for good, with the queues of the person who answers too; ``create`` makes it again.

    Label Studio follows by a job; with ``wait`` its end is waited for. Raises UnknownExpert, DataError for the last
    admin.
    """
    with writing(settings) as session:
        user = _find_unless_last_admin(session, email, "removed")
        may(user.role)
        answers = session.scalar(select(Expert).where(Expert.email == user.email, Expert.removed_at.is_(None)))
        if answers is not None:
            end_label_studio_access.close(session, answers)
        job_id = end_access.end(session, user.email, end_access.REMOVED)
    return end_label_studio_access.run_end_job(settings, job_id, wait)


def role_of(settings: Settings, email: str) -> str | None:
    """The role of the login ``email``, shut ones too; None where there is none or it was removed."""
    with reading(settings) as session:
        return session.scalar(select(User.role).where(User.email == address(email), User.password_hash != GONE))


def check_role(session: Session, email: str, may: May) -> None:
    """Ask ``may`` about the login ``email`` as it is, and hold it so until the caller's transaction ends (PostgreSQL):
    whoever is promoted meanwhile waits, and nothing that was allowed for an expert is done to an administrator.
    """
    mine = select(User.role).where(User.email == address(email), User.password_hash != GONE)
    may(session.scalar(mine.with_for_update()))


def find_person(settings: Settings, email: str) -> Person:
    """The login ``email``, shut ones too. Raises UnknownExpert."""
    with writing(settings) as session:
        return person(find_user(session, email))


def every(settings: Settings, roles: Sequence[str] = ROLES) -> list[User]:
    """All logins of ``roles`` that were not removed, by address."""
    with reading(settings) as session:
        wanted = select(User).where(User.role.in_(roles), User.password_hash != GONE)
        return list(session.scalars(wanted.order_by(User.email)))


def _refuse_without_expert(session: Session, email: str) -> None:
    """Raise DataError for a login without an expert behind it; locks nothing."""
    user = session.execute(select(User.expert_id).where(User.email == email, User.password_hash != GONE)).one_or_none()
    if user is not None and user.expert_id is None:
        raise DataError(
            f"role: {email} is not an expert yet, so the role expert would give no access. First run: `attune expert "
            f"add {email}`"
        )


def _find_unless_last_admin(session: Session, email: str, done: str) -> User:
    """As `find_user`, for what would take an administrator away. Raises DataError where ``email`` is the one open
    admin.

    The administrators are locked first, in one order: two who take each other away wait, and neither waits for what
    the other holds (PostgreSQL).
    """
    admins = select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
    open_ones = list(session.scalars(admins.with_for_update()))
    user = find_user(session, email)
    if open_ones == [user.id]:
        raise DataError(
            f"{user.email} is the last admin and cannot be {done}, because no one could manage people. First "
            "add another admin: `attune user add EMAIL --role admin`"
        )
    return user


def refuse_last_admin(session: Session, email: str, done: str) -> None:
    """Raise DataError where ``email`` is the one open admin, who cannot be ``done``; nobody else is asked about."""
    if session.scalar(select(User.id).where(User.email == email, User.password_hash != GONE)) is not None:
        _find_unless_last_admin(session, email, done)


def address(email: str) -> str:
    """``email`` as it is kept: trimmed, lower case. Raises DataError where it is no address."""
    trimmed = email.strip().casefold()
    local, _, domain = trimmed.partition("@")
    if not local or not domain or "@" in domain or any(letter.isspace() for letter in trimmed) or len(trimmed) > 254:
        raise DataError(f"email: {email!r} is not an email address. Expected the form name@example.org.")
    return trimmed


def new_address(email: str) -> str:
    """`address`, for somebody who comes in. Raises DataError also for one that could be taken for another.

    Before the @ it is ASCII, as Django's EmailValidator has it for Label Studio; behind it are letters, digits, dots
    and hyphens of any language, full-width ones as plain ones (NFKC). `address` alone finds what is kept from before.
    """
    local, _, domain = address(email).partition("@")
    domain = normalize("NFKC", domain).casefold()
    known = all(sign in ".-" or category(sign)[0] in "LMN" for sign in domain)
    if not LOCAL.fullmatch(local) or not known:
        raise DataError(
            f"email: {email!r} has a character that no email address here can have. Expected the form "
            "name@example.org, with plain letters (a to z), digits and . _ - + before the @. Type the address again: "
            "one that was copied may hold characters that nobody sees."
        )
    return f"{local}@{domain}"


def find_user(session: Session, email: str) -> User:
    """The login ``email``, shut ones too, for a change in the caller's transaction. Raises UnknownExpert.

    Two that change one login wait for each other (PostgreSQL), so that no session begins while another ends them all.
    """
    mine = select(User).where(User.email == address(email), User.password_hash != GONE)
    user = session.scalar(mine.with_for_update())
    if user is None:
        raise UnknownExpert(
            f"No login has the email address {address(email)}. To list them: `attune user list` and `attune "
            "expert list`"
        )
    return user


def _role(role: str) -> str:
    if role not in ROLES:
        raise DataError(f"role: {role!r} does not exist. Expected one of {', '.join(ROLES)}.")
    return role


def _hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise DataError(
            f"password: {len(password)} characters are too few. At least {SHORTEST_PASSWORD} are needed. Four "
            "unrelated words make a good password."
        )
    return generate_password_hash(password, method="scrypt")


@lru_cache(maxsize=1)
def _unknown_user_hash() -> str:
    """The hash that a password is checked against where there is no such address, so that the time tells nothing."""
    return generate_password_hash(secrets.token_hex(16), method="scrypt")


def person(user: User) -> Person:
    """A row as the rest of the program sees it."""
    return Person(user.id, user.email, user.role, user.expert_id)
