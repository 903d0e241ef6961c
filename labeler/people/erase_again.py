"""Whoever was erased and comes back with an older backup is erased again; whoever was added again later stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people import erase, erased_list, personal_data
from attune.labeler.people.erased_list import Erased
from attune.labeler.records.schema import Expert, Job, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import parse

STAYS = (
    "{0} was erased before and is the last admin here, so this person stays: no one else could manage people. First "
    "add another admin: `attune user add EMAIL --role admin`. Then: `attune expert erase {0}`"
)


@dataclass(frozen=True)
class Repeated:
    """Whom an older backup brought back: ids of the ``jobs`` that erase them, their addresses as ``people``, and
    ``stays``, a sentence about the last admin, who stays so that somebody can manage people, if any."""

    jobs: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    stays: str = ""


def repeat(settings: Settings, erased: Sequence[Erased]) -> Repeated:
    """Record a job for everyone in the records who is in the list of ``erased``, as a backup of before brings them.

    Whoever was erased and added again later has new rows, made after the erasure, and stays.
    """
    with reading(settings) as session:
        made = _made(session)
        admins = set(session.scalars(select(User.email).where(User.role == "admin", User.disabled_at.is_(None))))
    found = erased_list.find(sorted(one for one in made if not personal_data.is_alias(one)), erased)
    back = {email: one for email, one in found.items() if made[email] < parse(one.at)}
    last_admin = min(admins) if admins and admins <= back.keys() else None
    with writing(settings) as session:
        jobs_of = {
            email: erase.record(session, email, not one.answers_left, "restore", _free(session, one.alias))
            for email, one in back.items()
            if email != last_admin
        }
    return Repeated(tuple(jobs_of.values()), tuple(jobs_of), "" if last_admin is None else STAYS.format(last_admin))


def _made(session: Session) -> dict[str, datetime]:
    """When each address came into the records first."""
    made: dict[str, datetime] = {}
    for columns in ((Expert.email, Expert.added_at), (User.email, User.created_at)):
        for email, at in session.execute(select(*columns)):
            made[email] = min(at, made.get(email, at))
    return made


def _free(session: Session, alias: str) -> str:
    """``alias``, or a new one where it stands for somebody here: the erasure of before was of other rows."""
    held = (select(table.id).where(table.email == alias) for table in (Expert, User))
    return alias if all(session.scalar(one) is None for one in held) else personal_data.new_alias()


def again(settings: Settings, source: Path) -> tuple[list[Job], str]:
    """Take over the list of ``source``, and erase everyone in it who is here; their jobs, and who
    stays, if any.

    Raises DataError where ``source`` is no such list.
    """
    erased = erased_list.read_given(source)
    erased_list.join(settings.workspace, erased)
    back = repeat(settings, erased)
    return [erase.hand_over(settings, job_id, wait=True) for job_id in back.jobs], back.stays
