"""Experts: people who answer, each with a login for the console and Label Studio and a queue an attribute."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from labeler import attributes, people, queues
from labeler.label_studio import people as label_studio_people
from labeler.label_studio.client import LabelStudio
from labeler.records.schema import Annotation, Attribute, Expert, Queue, User
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import AlreadyThere, UnknownExpert

# Without the letters and digits that are taken for one another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Invited:
    """A new expert with what he or she needs for the first login; the password is shown this once."""

    email: str
    name: str
    password: str | None
    console: str
    queues: dict[str, str]


def add(
    settings: Settings, email: str, wanted: Sequence[str] = (), name: str | None = None, password: str | None = None
) -> Invited:
    """Make an expert, both logins and the queues; for one that is there, add the attributes named.

    Without attributes an expert answers every one, also those made later. Raises UnknownAttribute, DataError for an
    address that is none, AlreadyThere where nothing would change, LabelStudioUnreachable.
    """
    email = people.address(email)
    with reading(settings) as session:
        chosen = [attributes.find(session, one) for one in wanted]
        held = session.scalar(select(Expert).where(Expert.email == email, Expert.removed_at.is_(None)))
    if held is not None and not wanted:
        raise AlreadyThere(
            f"{email} is an expert already. `attune expert list` shows the queues; --attribute adds one."
        )
    ls = LabelStudio.connect(settings)
    fresh = None
    if held is None:
        fresh = password or fresh_password()
        held = _record(settings, ls, email, name, fresh, every=not wanted)
    with reading(settings) as session:
        chosen = chosen or attributes.every(session)
    for attribute in chosen:
        queues.ensure(settings, ls, attribute.name, [held])
    return Invited(email, held.name, fresh, settings.web_address, links(settings, held.id))


def _record(settings: Settings, ls: LabelStudio, email: str, name: str | None, password: str, every: bool) -> Expert:
    user = label_studio_people.ensure_user(ls, email, password)
    with writing(settings) as session:
        found = session.scalar(select(Expert).where(Expert.email == email))
        expert = found or Expert(email=email, name="", added_at=now())
        expert.name = name or expert.name or email.partition("@")[0]
        expert.label_studio_user, expert.every_attribute, expert.removed_at = user, every, None
        session.add(expert)
        session.flush()
        login = session.scalar(select(User).where(User.email == email))
    if login is None:
        people.create(settings, email, "expert", password, expert.id)
    else:
        people.set_password(settings, email, password)
        with writing(settings) as session:
            user_row = session.get_one(User, login.id)
            user_row.expert_id, user_row.disabled_at = expert.id, None
    return expert


def fresh_password() -> str:
    """A new password that is easy to read out and to type: four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def remove(settings: Settings, email: str) -> dict[str, Any]:
    """Take an expert's queues and console login away; the answers given stay, with their author's name.

    The login in Label Studio stays: its community edition has no way to take one away. Its administrator can.

    Raises UnknownExpert.
    """
    with writing(settings) as session:
        expert = find(session, email)
        expert.removed_at = now()
        closed = list(session.scalars(select(Queue).where(Queue.expert_id == expert.id, Queue.closed_at.is_(None))))
        for queue in closed:
            queue.closed_at = now()
        kept = session.scalar(
            select(func.count())
            .select_from(Annotation)
            .where(Annotation.expert_id == expert.id, Annotation.deleted_at.is_(None))
        )
        login = session.scalar(select(User).where(User.expert_id == expert.id))
        if login is not None and login.role == "expert":
            login.disabled_at = now()
    return {"email": expert.email, "queues_closed": len(closed), "answers_kept": kept}


def find(session: Session, email: str) -> Expert:
    """The expert with this address. Raises UnknownExpert with near addresses."""
    wanted = people.address(email)
    found = session.scalar(select(Expert).where(Expert.email == wanted, Expert.removed_at.is_(None)))
    if found is None:
        known = list(session.scalars(select(Expert.email).where(Expert.removed_at.is_(None)).order_by(Expert.email)))
        near = get_close_matches(wanted, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known) or 'none yet'}."
        raise UnknownExpert(f"No expert has the address {wanted}. {hint} `attune expert list` shows all of them.")
    return found


def every(settings: Settings) -> list[dict[str, Any]]:
    """All experts with their queues' links and how many answers each gave."""
    with reading(settings) as session:
        counts = dict(
            session.execute(
                select(Annotation.expert_id, func.count())
                .where(Annotation.deleted_at.is_(None), Annotation.value != "skip")
                .group_by(Annotation.expert_id)
            ).all()
        )
        experts = list(session.scalars(select(Expert).where(Expert.removed_at.is_(None)).order_by(Expert.email)))
    return [
        {"email": one.email, "name": one.name, "answers": counts.get(one.id, 0), "queues": links(settings, one.id)}
        for one in experts
    ]


def links(settings: Settings, expert_id: int) -> dict[str, str]:
    """Attribute name -> address of the expert's queue."""
    with reading(settings) as session:
        rows = session.execute(
            select(Attribute.name, Queue)
            .join(Queue, Queue.attribute_id == Attribute.id)
            .where(Queue.expert_id == expert_id, Queue.closed_at.is_(None))
            .order_by(Attribute.name)
        ).all()
    return {name: queues.link(settings, queue) for name, queue in rows}
