"""When a person's access ends: what Label Studio must be told, by the job `leave`, which is tried until it is done."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import task_ids
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio import door, queue_tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import Address
from attune.labeler.people import access_lock, end_access
from attune.labeler.people.end_access import Outcome
from attune.labeler.queues import grids
from attune.labeler.records.schema import Asset, Expert, Grid, Job, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AttuneError, LabelStudioRefused

OURS = "Attune itself uses this login"
BACK = "the person got a new password in the meantime"


def close(session: Session, expert: Expert) -> tuple[int, int]:
    """Take an expert's queues and open questions away, in the caller's transaction; how many of each."""
    expert.removed_at = now()
    closed = list(session.scalars(select(Queue).where(Queue.expert_id == expert.id, Queue.closed_at.is_(None))))
    for one in closed:
        one.closed_at = now()
    mine = (Grid.expert_id == expert.id, Grid.closed_at.is_(None))
    session.execute(update(Grid).where(*mine).values(closed_at=now()))
    waiting = (Task.queue_id.in_([one.id for one in closed]), Task.state == "open")
    retired = session.connection().execute(update(Task).where(*waiting).values(state="retired")).rowcount
    return len(closed), retired


def run_end_job(settings: Settings, job_id: str, wait: bool = False) -> Outcome:
    """Have Label Studio told by the recorded job ``job_id``; what became of the access so far.

    Without it, or without Redis, the job is sent again later; that is never an error.
    """
    try:
        if wait and not jobs.workers_alive(settings, "leave"):
            jobs.finish(settings, job_id, jobs.run_here(settings, "leave", **_asked(settings, job_id).arguments))
        else:
            jobs.hand_over(settings, job_id, "leave")
            if wait:
                jobs.follow(settings, job_id)
    except AttuneError as error:
        if _asked(settings, job_id).state not in {"failed", "lost"}:  # each is sent again once it can be done
            jobs.fail(settings, job_id, str(error))
    return end_access.outcome(_asked(settings, job_id))


def _asked(settings: Settings, job_id: str) -> Job:
    with reading(settings) as session:
        return session.get_one(Job, job_id)


def settle(settings: Settings, report: Report, email: str) -> dict[str, Any]:
    """End the person's access to Label Studio, and take a leaver's open questions and pages out; what was done.

    Done twice it ends the same; for one who came back meanwhile nothing is done: the new password has ended what was
    open before. Raises LabelStudioUnreachable, LabelStudioRefused, ServiceDown where another job has the person's turn.
    """
    with LabelStudio.connect(settings) as ls, access_lock.hold_access_lock(settings, email):
        with reading(settings) as session:  # inside: the person who is let in again from here on is so after this end
            expert = session.scalar(select(Expert).where(Expert.email == email))
            came_back = end_access.may_enter(session, email)
        if came_back:
            return {"questions": 0, "kept": BACK}
        had_login = expert is not None and expert.label_studio_user is not None
        result = _end(ls, email, had_login)  # first: what is open to a leaver must not wait for the questions
        with writing(settings) as session:
            result = end_access.record_progress(session, email, result)
        has_left = expert is not None and expert.removed_at is not None
        retired = _retire_tasks(settings, ls, report, expert.id) if expert and has_left else 0
    # Without the address, which the job's arguments say: a result that comes late must not bring back who was erased.
    return {"questions": retired, **result}


def _end(ls: LabelStudio, email: str, had_login: bool) -> dict[str, Any]:
    if str(ls.me().get("email", "")).casefold() == email:
        return {"kept": OURS}
    done = door.end_access(ls, email, had_login)
    return {"ended": list(done.ended), "still_open": list(done.still_open)}


def _retire_tasks(settings: Settings, ls: LabelStudio, report: Report, expert_id: int) -> int:
    with reading(settings) as session:
        rows = session.execute(
            select(Queue.project, Task, Asset.asset_id)
            .join(Task, Task.queue_id == Queue.id)
            .join(Asset, Asset.id == Task.asset_pk)
            .where(Queue.expert_id == expert_id, Queue.closed_at.is_not(None), Task.state == "retired")
        ).all()
    waiting: dict[int, list[Address]] = defaultdict(list)
    for project, task, asset_id in rows:
        if (task_id := task_ids.task_address(task, asset_id)) is not None:
            waiting[project].append(task_id)
    retired = 0
    for number, (project, stale) in enumerate(waiting.items()):
        report(number, len(waiting))
        with suppress(LabelStudioRefused):  # a project that someone deleted
            ids = queue_tasks.retire(ls, project, stale)
            retired += len(ids)
            with writing(settings) as session:
                task_ids.clear_deleted(session, stale, ids)
    return retired + grids.retire_pages(settings, ls, Grid.expert_id == expert_id)
