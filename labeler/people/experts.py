"""Experts: people who answer, each with a login for the console and Label Studio and a queue an attribute."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import accounts, door
from attune.labeler.label_studio import logins as label_studio_people
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import access_lock, end_access, end_label_studio_access, users
from attune.labeler.people.users import May
from attune.labeler.queues import queues
from attune.labeler.records.schema import Attribute, Expert, Queue, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, SettingsError, UnknownExpert

# Without the letters and digits that are taken for one another: 31 of them, 79 bits in sixteen.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Invited:
    """A new expert with what he or she needs for the first login; the password is shown this once.

    ``opens`` says what the password opens: the console, Label Studio, or both; nothing where both logins were there.
    """

    email: str
    name: str
    password: str | None
    console: str
    queues: dict[str, str]
    opens: str = ""


def add(
    settings: Settings,
    email: str,
    attributes_requested: Sequence[str] = (),
    name: str | None = None,
    password: str | None = None,
) -> Invited:
    """Make an expert, both logins and the queues; for one that is there, add the attributes named.

    Without attributes an expert answers every one, also those made later. A login that is there and open keeps its
    password and role, whoever's it is. Raises UnknownAttribute, DataError for an address that is none or the shut login
    of someone who manages, AlreadyThere where nothing would change, LabelStudioUnreachable.
    """
    email = address_of(settings, email)
    refuse_label_studios_own(settings, email)
    with reading(settings) as session:
        chosen_attributes = [attributes.find(session, attribute_name) for attribute_name in attributes_requested]
        existing = session.scalar(select(Expert).where(Expert.email == email, Expert.removed_at.is_(None)))
        refuse_disabled(session, email)
    complete = existing is not None and users.role_of(settings, email) is not None
    if complete and not attributes_requested:
        raise AlreadyThere(
            f"{email} is already an expert. To see the queues: `attune expert list`. To add a queue: `attune "
            f"expert add {email} --attribute NAME`"
        )
    ls = LabelStudio.connect(settings)
    fresh = password or fresh_password()
    opens: list[str] = []
    if existing is None or not complete:
        with access_lock.hold_access_lock(settings, email):
            user, why_not = label_studio_login(settings, ls, email, fresh)
            existing = _record(settings, email, name, user, every=not attributes_requested)
            opens += ["the console"] * _console_login(settings, existing, fresh) + ["Label Studio"] * (not why_not)
    with reading(settings) as session:
        chosen_attributes = chosen_attributes or attributes.every(session)
    for attribute in chosen_attributes:
        queues.ensure(settings, ls, attribute.name, [existing])
    shown_password = fresh if opens else None
    return Invited(
        email, existing.name, shown_password, settings.web_address, links(settings, existing.id), " and ".join(opens)
    )


def label_studio_login(settings: Settings, ls: LabelStudio, email: str, password: str) -> tuple[int | None, str]:
    """The user in Label Studio (None where it does not tell), and why ``password`` does not open it, or nothing."""
    before = accounts.find_user(ls, email)
    if before is not None and email == settings.label_studio_email.casefold():
        return before, "It is the administrator's login. The workspace's secrets contain its password."
    try:
        return door.open_login(ls, email, password), ""
    except SettingsError as error:  # no one sets a password from outside there
        if before is not None:
            return before, str(error)
        try:
            return label_studio_people.ensure_user(ls, email, password), ""
        except AlreadyThere as out:  # trying again would not help: someone must do something there
            return None, str(out)


def refuse_disabled(session: Session, email: str) -> None:
    """Raise DataError where ``email`` is a login that manages and is shut: Label Studio must not open beside it."""
    login = session.scalar(select(User).where(User.email == email, User.disabled_at.is_not(None)))
    if login is not None and login.password_hash != users.GONE and login.role != "expert":
        raise DataError(f"email: the login {email} is disabled. Enable it first: `attune user enable {email}`")


def administrators(settings: Settings, session: Session) -> set[str]:
    """The addresses of those who administer and answer nothing, Label Studio's own administrator among them."""
    none = select(User.email).where(User.role == "admin", User.password_hash != users.GONE, User.expert_id.is_(None))
    return {*session.scalars(none), users.address(settings.label_studio_email)}


def refuse_label_studios_own(settings: Settings, email: str) -> None:
    """Raise DataError for the login by which Attune itself works in Label Studio: no person answers under it."""
    if email == users.address(settings.label_studio_email):
        raise DataError(f"email: {email} is Label Studio's own administrator. Give the address of a person.")


def _record(settings: Settings, email: str, name: str | None, user: int | None, every: bool) -> Expert:
    with writing(settings) as session:
        existing = session.scalar(select(Expert).where(Expert.email == email))
        expert = existing or Expert(email=email, name="", added_at=now())
        expert.name = name or expert.name or email.partition("@")[0]
        expert.every_attribute, expert.removed_at = every, None
        expert.label_studio_user = user or expert.label_studio_user
        session.add(expert)
        end_access.forget_passwords(session, email)  # the one given now is newer
    return expert


def _console_login(settings: Settings, expert: Expert, password: str) -> bool:
    """Tie the console's login to the expert; whether ``password`` opens it: not where one is there and open."""
    if users.role_of(settings, expert.email) is None:
        users.create(settings, expert.email, "expert", password, expert.id)
        return True
    with writing(settings) as session:
        login = session.scalars(select(User).where(User.email == expert.email)).one()
        login.expert_id = expert.id
        shut = login.disabled_at is not None and login.role == "expert"
    if shut:
        users.enable(settings, expert.email, password)
    return shut


def fresh_password() -> str:
    """A new password that is easy to read out and to type: four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def address_of(settings: Settings, email: str) -> str:
    """``email`` as it is kept, of an expert who is there or could be. Raises DataError where it can be neither's."""
    with reading(settings) as session:
        known = session.scalar(select(Expert.id).where(Expert.email == users.address(email)))
    return users.address(email) if known is not None else users.new_address(email)


def remove(settings: Settings, email: str, wait: bool = False, may: May = users.anybody) -> dict[str, Any]:
    """Take an expert's queues, open questions and every way in; the answers given stay, with their author's name.

    Sessions, links and the login of the console end at once, but for those of someone who also manages. Label Studio
    follows by the job `leave`, which is tried until it is done; with ``wait`` its end is waited for. "console" and
    "label_studio" say what ended, "still_open" what did not. Raises UnknownExpert.
    """
    with writing(settings) as session:
        # The login before the queues and questions, as `people.remove` has it, or each waits for the other.
        login = session.scalar(select(User).where(User.email == users.address(email)).with_for_update())
        may(login.role if login is not None and login.password_hash != users.GONE else None)
        expert = find(session, email)
        queues_closed, retired = end_label_studio_access.close(session, expert)
        answers = sum(counting.by_attribute(session, expert.id).values())
        manages = login is not None and login.role != "expert"
        job_id = end_access.end(session, expert.email, end_access.KEPT if manages else end_access.SHUT)
    job = end_label_studio_access.run_end_job(settings, job_id, wait)
    done = {
        "email": expert.email,
        "queues_closed": queues_closed,
        "questions_retired": retired,
        "answers_kept": answers,
    }
    return done | end_access.outcome_facts(job)


def find(session: Session, email: str) -> Expert:
    """The expert with this address. Raises UnknownExpert with near addresses."""
    normalised = users.address(email)
    expert = session.scalar(select(Expert).where(Expert.email == normalised, Expert.removed_at.is_(None)))
    if expert is None:
        known_emails = list(
            session.scalars(select(Expert.email).where(Expert.removed_at.is_(None)).order_by(Expert.email))
        )
        near = get_close_matches(normalised, known_emails, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Existing experts: {', '.join(known_emails) or 'none yet'}."
        raise UnknownExpert(
            f"No expert has the email address {normalised}. {hint} To list all experts: `attune expert list`"
        )
    return expert


def every(settings: Settings) -> list[dict[str, Any]]:
    """All experts with their queues' links and how many answers each gave."""
    with reading(settings) as session:
        counts = counting.by_expert(session)
        experts = list(session.scalars(select(Expert).where(Expert.removed_at.is_(None)).order_by(Expert.email)))
    return [
        {
            "email": one.email,
            "name": one.name,
            "answers": counts[one.id][0] if one.id in counts else 0,
            "queues": links(settings, one.id),
        }
        for one in experts
    ]


def links(settings: Settings, expert_id: int) -> dict[str, str]:
    """Attribute name -> address of the page where the expert answers it."""
    with reading(settings) as session:
        names = session.scalars(
            select(Attribute.name)
            .join(Queue, Queue.attribute_id == Attribute.id)
            .where(Queue.expert_id == expert_id, Queue.closed_at.is_(None))
            .order_by(Attribute.name)
        ).all()
    return {name: queues.link(settings, name) for name in names}
