"""When an expert leaves: what Label Studio must be told, by the job `leave`, which is tried until it is done."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from labeler import addresses, grids, jobs
from labeler.jobs import Report
from labeler.label_studio import local, queue
from labeler.label_studio.address import Address
from labeler.label_studio.client import LabelStudio
from labeler.records.schema import Asset, Expert, Grid, Queue, Task
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.errors import AttuneError, LabelStudioRefused, SettingsError

ASKED = "will be told by the workers"


def ask(settings: Settings, job_id: str, email: str, wait: bool) -> str:
    """Have Label Studio told by the recorded job ``job_id``; what became of the login there, or that it follows."""
    try:
        if wait and not jobs.workers_alive(settings):
            done = jobs.run_here(settings, "leave", expert=email)
            jobs.finish(settings, job_id, done)
            return str(done["login"])
        jobs.hand_over(settings, job_id, "leave")
        return str(jobs.follow(settings, job_id)["login"]) if wait else ASKED
    except AttuneError as error:
        jobs.fail(settings, job_id, str(error))  # and sent again once Redis and Label Studio are there
        return f"{ASKED}, for now: {error}" if wait else ASKED


def settle(settings: Settings, report: Report, email: str) -> dict[str, Any]:
    """Take the leaver's open questions and pages out of Label Studio and shut the login there; what was done.

    Done twice it ends the same; for one who came back meanwhile nothing is done. Raises LabelStudioUnreachable.
    """
    with reading(settings) as session:
        expert = session.scalars(select(Expert).where(Expert.email == email)).one()
        rows = session.execute(
            select(Queue.project, Task, Asset.asset_id)
            .join(Task, Task.queue_id == Queue.id)
            .join(Asset, Asset.id == Task.asset_pk)
            .where(Queue.expert_id == expert.id, Queue.closed_at.is_not(None), Task.state == "retired")
        ).all()
    if expert.removed_at is None:
        return {"email": email, "questions": 0, "login": "kept: the expert came back meanwhile"}
    waiting: dict[int, list[Address]] = defaultdict(list)
    for project, task, asset_id in rows:
        if (found := addresses.of(task, asset_id)) is not None:
            waiting[project].append(found)
    gone = 0
    with LabelStudio.connect(settings) as ls:
        for number, (project, stale) in enumerate(waiting.items()):
            report(number, len(waiting))
            with suppress(LabelStudioRefused):  # a project that somebody deleted
                ids = queue.retire(ls, project, stale)
                gone += len(ids)
                with writing(settings) as session:
                    addresses.gone(session, stale, ids)
        gone += grids.take_back(settings, ls, Grid.expert_id == expert.id)
        administrator = str(ls.me().get("email", "")).casefold() == email
    if administrator:
        return {"email": email, "questions": gone, "login": "kept: it is the administrator's, whom Attune works as"}
    return {"email": email, "questions": gone, "login": _shut(settings, email)}


def _shut(settings: Settings, email: str) -> str:
    try:
        local.shut_login(settings, email)
    except SettingsError as error:
        return f"still open: {error}"
    return "shut"
