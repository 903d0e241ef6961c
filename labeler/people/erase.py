"""Erase a person: access ends at once, the job `erase` does the rest, and is tried until it is done.

In this order, so that a kill in between loses nothing and the next try goes on: access, answers if asked, Label Studio,
the list of erased addresses, files, and last the records, the job's own arguments among them. Until then the job knows
the address; afterwards nothing does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, exclude_expert
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio import door
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import (
    access_lock,
    end_access,
    end_label_studio_access,
    erased_list,
    experts,
    masked_files,
    personal_data,
    users,
)
from attune.labeler.people.users import May
from attune.labeler.records.schema import Attribute, Expert, Grid, Job, Queue, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AttuneError, LabelStudioRefused, UnknownExpert
from attune.models.text import plural

KIND = "erase"
OPEN = ("queued", "running", "failed", "lost")
IN_NAMES = (
    "The location, id or title of {} holds the address, and stays: images, vectors and answers are found by it. To "
    "find them: `attune assets list`. Then move the files, add them again with `attune assets add`, and remove the old "
    "ones with `attune assets remove`. Their answers do not move along."
)


@dataclass(frozen=True)
class Concerned:
    """What an erasure of ``email`` would concern: answers that count, by question."""

    email: str
    name: str
    answers: dict[str, int]


def concerned(settings: Settings, email: str) -> Concerned:
    """Whom an erasure would erase. Raises UnknownExpert where the records hold nobody with this address."""
    email = users.address(email)
    with reading(settings) as session:
        expert = session.scalar(select(Expert).where(Expert.email == email))
        user = session.scalar(select(User.id).where(User.email == email))
        if expert is None and user is None:
            raise UnknownExpert(f"No person has the email address {email}.{_erased_before(settings, email)}")
        counted = counting.by_attribute(session, expert.id) if expert else {}
    return Concerned(email, expert.name if expert else email, counted)


def _erased_before(settings: Settings, email: str) -> str:
    found = erased_list.find([email], erased_list.of(settings)).get(email)
    return (
        f" This address was erased on {found.at[:10]}. Nothing is left to erase."
        if found
        else (" To list them: `attune expert list` and `attune user list`")
    )


def ask(settings: Settings, email: str, drop_answers: bool = False, may: May = users.anybody, who: str = "") -> str:
    """End the access of ``email`` now, and record the job that erases the rest; its id.

    ``drop_answers``: the answers count no more, too. Asked twice, it is one job. Raises UnknownExpert, DataError for
    the last admin, and what ``may`` raises.
    """
    email = concerned(settings, email).email
    with writing(settings) as session:
        users.check_role(session, email, may)
        users.refuse_last_admin(session, email, "erased")
        job_id = record(session, email, drop_answers, who)
    _end_access(settings, email, may)
    return job_id


def record(session: Session, email: str, drop_answers: bool, who: str, alias: str = "") -> str:
    """Write the job down in the caller's transaction, once for a person; its id. ``alias``: a new one by default."""
    mine = (Job.kind == KIND, Job.state.in_(OPEN), Job.arguments["expert"].as_string() == email)
    waiting = session.scalar(select(Job).where(*mine).order_by(Job.created_at).limit(1))
    if waiting is None:
        alias = alias or personal_data.new_alias()
        return jobs.record(session, KIND, expert=email, alias=alias, drop_answers=drop_answers, who=who)
    if drop_answers and not waiting.arguments["drop_answers"]:
        waiting.arguments = waiting.arguments | {"drop_answers": True}
    return waiting.id


def hand_over(settings: Settings, job_id: str, wait: bool = False) -> Job:
    """Have the job done, here where no worker lives and ``wait`` says so; the job as it is then.

    Without Redis, or without Label Studio, it is tried again later; that is never an error.
    """
    try:
        if wait and not jobs.workers_alive(settings, KIND):
            jobs.finish(settings, job_id, jobs.run_here(settings, KIND, **_job(settings, job_id).arguments))
        else:
            jobs.hand_over(settings, job_id, KIND)
            if wait:
                jobs.follow(settings, job_id)
    except AttuneError as error:
        if _job(settings, job_id).state not in {"failed", "lost"}:
            jobs.fail(settings, job_id, str(error))
    return _job(settings, job_id)


def _job(settings: Settings, job_id: str) -> Job:
    with reading(settings) as session:
        return session.get_one(Job, job_id)


def _end_access(settings: Settings, email: str, may: May = users.anybody) -> None:
    with reading(settings) as session:
        answers = session.scalar(select(Expert.id).where(Expert.email == email, Expert.removed_at.is_(None)))
    if users.role_of(settings, email) is not None:
        users.remove(settings, email, may=may)
    elif answers is not None:
        experts.remove(settings, email, may=may)


def run(settings: Settings, report: Report, expert: str, alias: str, drop_answers: bool, who: str) -> dict[str, Any]:
    """Erase the person; what was done. Done twice it ends the same.

    Raises LabelStudioUnreachable, LabelStudioRefused, ServiceDown; the scheduler then asks again.
    """
    if personal_data.is_alias(expert):  # killed after the records and before the job's end
        return {"expert": expert}
    _end_access(settings, expert)
    if drop_answers:
        with suppress(UnknownExpert):  # somebody who managed, and never answered
            exclude_expert.exclude(settings, expert, who=who)
    still_there = _erase_in_label_studio(settings, report, expert, alias)
    erased_list.add(settings, expert, alias, answers_left=not drop_answers)
    log_rows = masked_files.mask(settings, expert)
    with writing(settings) as session:
        done = personal_data.erase(session, expert, alias)
    if done.images:
        still_there.append(IN_NAMES.format(plural(done.images, "image")))
    return {"expert": alias, **asdict(done), "log_rows": log_rows, "still_there": still_there}


def _erase_in_label_studio(settings: Settings, report: Report, email: str, alias: str) -> list[str]:
    """End what is open there, and put the alias in the place of the person; sentences of what stays."""
    with reading(settings) as session:
        leaving = end_access.newest(session, email)
    if leaving is not None and leaving.state != "done":
        jobs.finish(settings, leaving.id, end_label_studio_access.settle(settings, report, email))
    with LabelStudio.connect(settings) as ls, access_lock.hold_access_lock(settings, email):
        if str(ls.me().get("email", "")).casefold() == email:
            return []
        _rename_projects(settings, ls, email, alias)
        return list(door.erase_person(ls, email, alias))


def _rename_projects(settings: Settings, ls: LabelStudio, email: str, alias: str) -> None:
    """The queues' titles name the expert."""
    with reading(settings) as session:
        rows = [
            row
            for table in (Queue, Grid)
            for row in session.execute(
                select(table.project, Attribute.name)
                .join(Attribute, Attribute.id == table.attribute_id)
                .join(Expert, Expert.id == table.expert_id)
                .where(Expert.email == email)
            )
        ]
    for project, attribute in rows:
        with suppress(LabelStudioRefused):  # a project that someone deleted
            title = f"{attribute} · {personal_data.name_of(alias)}"[:50]
            ls.request("PATCH", f"/api/projects/{project}/", {"title": title})


def ask_when_due(settings: Settings) -> int:
    """Ask for the erasure of everyone who has been out for the days of the setting ``erase_after_days``; how many."""
    if not settings.erase_after_days:
        return 0
    before = now() - timedelta(days=settings.erase_after_days)
    with writing(settings) as session:
        gone = select(Expert.email).where(Expert.removed_at < before)
        logins = select(User.email).where(User.password_hash == users.GONE, User.disabled_at < before)
        inside = select(User.email).where(User.password_hash != users.GONE, User.role != "expert")
        answering = select(Expert.email).where(or_(Expert.removed_at.is_(None), Expert.removed_at >= before))
        people = {*session.scalars(gone), *session.scalars(logins)}
        people -= {*session.scalars(inside), *session.scalars(answering)}
        due = sorted(one for one in people if not personal_data.is_alias(one))
        ids = [record(session, email, False, "retention") for email in due if not _is_asked(session, email)]
    for job_id in ids:
        hand_over(settings, job_id)
    return len(ids)


def _is_asked(session: Session, email: str) -> bool:
    mine = (Job.kind == KIND, Job.state.in_(OPEN), Job.arguments["expert"].as_string() == email)
    return session.scalar(select(Job.id).where(*mine).limit(1)) is not None
