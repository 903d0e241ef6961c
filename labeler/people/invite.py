"""Invite an expert from the console: recorded at once, with a login link; Label Studio follows as a job.

Label Studio may be slow or away for a while: the job `join` makes the login and the queues there, and is asked for
again until it is done. The login's password is derived from the workspace's key and a number in the job, so that
it can be shown now, made later, and is kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as chance
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import access_lock, end_access, experts, login_links, users
from attune.labeler.people.users import May
from attune.labeler.queues import queues
from attune.labeler.records.schema import Expert, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, ServiceDown, UnknownExpert

REPLACED = "A newer password replaced it."


@dataclass(frozen=True)
class Welcome:
    """What a new expert is handed, shown this once; no ``link`` for a login that is not an expert's."""

    email: str
    name: str
    link: str | None
    label_studio: str
    password: str | None


def invite(
    settings: Settings,
    email: str,
    attributes_requested: Sequence[str] = (),
    name: str = "",
    may: May = users.anybody,
    only_there: bool = False,
    who: str = "",
) -> Welcome:
    """Make an expert of ``email``, or give one who is there the attributes named; ``only_there``: only the latter.
    ``who`` asks for it.

    Without attributes an expert answers every one, also those made later. A login of an owner or admin keeps its
    password and role. Raises UnknownAttribute, DataError for an address that is none, a name that is too long or the
    shut login of someone who manages, AlreadyThere where nothing would change, UnknownExpert with ``only_there`` for
    somebody who is no expert.
    """
    email = experts.address_of(settings, email)
    experts.refuse_label_studios_own(settings, email)
    name = _name(name) or email.partition("@")[0]
    with reading(settings) as session:
        for attribute_name in attributes_requested:
            attributes.find(session, attribute_name)
    record = partial(_record, settings, email, attributes_requested, name, may, only_there)
    try:
        expert, fresh = record()
    except IntegrityError:  # two invitations at once: by now the other one is there (PostgreSQL)
        expert, fresh = record()
    link = _login(settings, expert, may, who) if fresh else None
    return _ask(settings, expert, attributes_requested, link, fresh, may)


def _record(
    settings: Settings, email: str, attributes_requested: Sequence[str], name: str, may: May, only_there: bool
) -> tuple[Expert, bool]:
    """The expert's row, and whether it is new or back; raises as `invite`."""
    with writing(settings) as session:
        users.check_role(session, email, may)
        experts.refuse_disabled(session, email)
        # Locked: of two who invite a leaver again at once, the second finds an expert who is here (PostgreSQL).
        existing = session.scalar(select(Expert).where(Expert.email == email).with_for_update(key_share=True))
        fresh = existing is None or existing.removed_at is not None
        if fresh and only_there:
            raise UnknownExpert(
                f"{email} is not an expert, so no question was given to this address. To add an expert, use the page "
                f"People, or: `attune expert add {email}`"
            )
        if not fresh and not attributes_requested:
            raise AlreadyThere(f"email: {email} is already an expert. Choose a question to add to their queues.")
        expert = existing or Expert(email=email, name=name, added_at=now())
        if fresh:
            expert.name, expert.removed_at, expert.every_attribute = name, None, not attributes_requested
            session.add(expert)
            session.flush()
    return expert, fresh


def renew(settings: Settings, email: str, may: May = users.anybody) -> Welcome:
    """Give an expert a new password in Label Studio, by the same job.

    Raises UnknownExpert, DataError for someone who is shut out.
    """
    with reading(settings) as session:
        expert = experts.find(session, email)
        if not end_access.may_enter(session, expert.email):
            raise DataError(
                f"The login {expert.email} is disabled. Enable it, which gives new passwords for both: `attune "
                f"user enable {expert.email}`"
            )
    return _ask(settings, expert, (), None, fresh=True, may=may)


def reopen(settings: Settings, email: str, may: May = users.anybody, who: str = "") -> Welcome:
    """Let someone in again who was shut out: by a new link, and for an expert a new password in Label Studio.

    Raises UnknownExpert, AlreadyThere where the login is open, DataError for an expert who has left.
    """
    person = users.enable(settings, email, chance.token_hex(16), may)
    link = login_links.make(settings, person.email, may, who)
    with reading(settings) as session:
        expert = session.scalar(select(Expert).where(Expert.email == person.email, Expert.removed_at.is_(None)))
    if expert is None:
        return Welcome(person.email, person.email, link, "", None)
    # By name, as Label Studio took the person out of each.
    return _ask(settings, expert, list(experts.links(settings, expert.id)), link, fresh=True, may=may)


def _name(name: str) -> str:
    trimmed = " ".join(name.split())
    if len(trimmed) > 80:
        raise DataError(f"name: {len(trimmed)} characters are too many. At most 80 are allowed.")
    return trimmed


def _login(settings: Settings, expert: Expert, may: May, who: str) -> str | None:
    """The expert's way into the console: a link; None for an owner or admin, who have their own way in."""
    role = users.role_of(settings, expert.email)
    if role is None:
        users.create(settings, expert.email, "expert", chance.token_hex(16), expert.id)
    else:
        with writing(settings) as session:
            user = session.scalars(select(User).where(User.email == expert.email)).one()
            user.expert_id = expert.id
        if role == "expert" and user.disabled_at is not None:  # neither password nor sessions of before come back
            users.enable(settings, expert.email, chance.token_hex(16), may)
    return login_links.make(settings, expert.email, may, who) if role in {None, "expert"} else None


def _ask(
    settings: Settings, expert: Expert, attributes_requested: Sequence[str], link: str | None, fresh: bool, may: May
) -> Welcome:
    nonce = chance.token_hex(8) if fresh else None
    with writing(settings) as session:
        users.check_role(session, expert.email, may)
        # Two at once wait for each other, so that one password alone is the newest (PostgreSQL).
        session.scalar(select(Expert.id).where(Expert.id == expert.id).with_for_update(key_share=True))
        if nonce:
            end_access.forget_passwords(session, expert.email)
        job_id = jobs.record(
            session, "join", expert=expert.email, login={"nonce": nonce}, wanted=list(attributes_requested)
        )
    with suppress(ServiceDown):  # recorded as lost, and sent again once Redis is back
        jobs.hand_over(settings, job_id, "join")
    password = password_of(settings, expert.email, nonce) if nonce else None
    return Welcome(expert.email, expert.name, link, settings.label_studio_browser_address, password)


def password_of(settings: Settings, email: str, nonce: str) -> str:
    """The password in Label Studio that belongs to a job: four groups of four that only this workspace can tell."""
    key = secrets.load(settings.secrets).session_key.encode()
    digest = hmac.digest(key, f"label-studio:{email}:{nonce}".encode(), hashlib.sha512)
    letters = "".join(experts.LETTERS[byte % len(experts.LETTERS)] for byte in digest[:16])
    return "-".join(letters[place : place + 4] for place in range(0, 16, 4))


def settle(settings: Settings, report: Report, email: str, nonce: str | None, wanted: Sequence[str]) -> dict[str, Any]:
    """Make the expert's queues in Label Studio, with ``nonce`` the login too, and have the queues filled.

    Done twice it ends the same. Raises LabelStudioUnreachable, LabelStudioRefused, ServiceDown where another job has
    the person's turn.
    """
    with LabelStudio.connect(settings) as ls, access_lock.hold_access_lock(settings, email):
        with reading(settings) as session:  # inside: the person who is shut out from here on is so after this opening
            expert = session.scalars(select(Expert).where(Expert.email == email)).one()
            chosen_attributes = [attributes.find(session, attribute_name) for attribute_name in wanted]
            if not chosen_attributes and expert.every_attribute:
                chosen_attributes = attributes.every(session)
            shut = not end_access.may_enter(session, email)
            current = nonce is not None and end_access.may_set(session, email, nonce)
        if expert.removed_at is not None:
            return {"state": "left meanwhile"}
        reason = "The login was disabled in the meantime." if shut else ""
        if nonce is not None and not shut:
            reason = _open(settings, ls, expert, password_of(settings, email, nonce)) if current else REPLACED
        for number, attribute in enumerate(chosen_attributes):
            report(number, len(chosen_attributes))
            queues.ensure(settings, ls, attribute.name, [expert])
    for attribute in chosen_attributes:
        ingest.ask_to_learn(settings, attribute.name)
    return {"queues": len(chosen_attributes), "password": reason or "as shown"}


def _open(settings: Settings, ls: LabelStudio, expert: Expert, password: str) -> str:
    """Give the expert's login ``password``; why it does not open it, or nothing."""
    user, why_not = experts.label_studio_login(settings, ls, expert.email, password)
    with writing(settings) as session:
        row = session.get_one(Expert, expert.id)
        row.label_studio_user = user or row.label_studio_user
    return why_not
