"""Ask once more for a job that failed or was lost: the same job, so that a second press makes no second one."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets import uploads
from attune.labeler.exchange import uploads as label_files
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Attribute, Expert, Job, Queue, Version
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, RecordsError, UnknownUpload

ENDED_BADLY = ("failed", "lost")
DATED = ("join", "leave", "erase", "configure")  # of these the newest counts, so a repeated one keeps its time


def again(settings: Settings, job_id: str) -> Job:
    """Put the job ``job_id`` into its queue again, as it was asked for; the job.

    Raises RecordsError for no such job, AlreadyThere where it did not fail or was asked for again in the meantime,
    DataError where it cannot be done any more (`refusal`), ServiceDown without Redis.
    """
    with writing(settings) as session:
        job = session.get(Job, job_id, with_for_update=True)
        if job is None:
            raise RecordsError("This job does not exist any more. The page Jobs lists all jobs.")
        if job.state not in ENDED_BADLY:
            word = {"queued": "waits for a worker", "running": "is running"}.get(job.state, "is done")
            raise AlreadyThere(f"Nothing to try again: the job {word}.")
        if why := refusal(settings, session, job):
            raise DataError(why)
        job.state, job.error, job.finished_at, job.done = "queued", "", None, 0
        if job.kind not in DATED:
            job.created_at = now()
    jobs.hand_over(settings, job.id, job.kind)
    return job


def refusal(settings: Settings, session: Session, job: Job) -> str:
    """Why the job cannot be done again, and what to do instead; empty where it can."""
    if job.kind not in jobs.KINDS:
        return "This version of Attune has no such job any more, so there is nothing to do."
    if job.kind == "encoder" and _asked_later(session, job):
        return "Another encoder was chosen after it. To choose this one again: `attune config encoder`"
    if job.kind == "publish":
        return "A promotion is not repeated by itself. Review the run, then promote it again."
    if job.kind == "explore":
        return "Search again in Explore."
    return _attribute_gone(session, job) or _files_gone(settings, job) or _people_gone(session, job)


def _asked_later(session: Session, job: Job) -> bool:
    later = select(Job.id).where(Job.kind == job.kind, Job.created_at > job.created_at).limit(1)
    return session.scalar(later) is not None


def _attribute_gone(session: Session, job: Job) -> str:
    name, version = job.arguments.get("attribute"), job.arguments.get("version")
    if name is None:
        return ""
    attribute = session.scalar(select(Attribute).where(Attribute.name == name, Attribute.retired_at.is_(None)))
    if attribute is None:
        return f"Its question {name} does not exist any more, so there is nothing to do."
    if version is None:
        return ""
    kept = (Version.attribute_id == attribute.id, Version.version == version, Version.retired_at.is_(None))
    if session.scalar(select(Version.id).where(*kept)) is None:
        return f"Its version {version} of {name} is retired or gone, so there is nothing to do."
    return ""


def _files_gone(settings: Settings, job: Job) -> str:
    ticket = str(job.arguments.get("ticket", ""))
    if job.kind in ("upload", "performance"):
        try:
            uploads.folder_of(settings, int(job.arguments["asked_by"]), ticket)
        except UnknownUpload:
            if job.kind == "performance":
                return "Its file is not kept any more. Send it again, on the page Performance."
            return "Its files are not kept any more. Send the images again, on the page Images."
    if job.kind == "import" and not label_files.is_there(settings, int(job.arguments["person"]), ticket):
        return (
            "Its file is not kept any more. Choose the file again, on the question's page “Export or import answers”."
        )
    return ""


def _people_gone(session: Session, job: Job) -> str:
    email = job.arguments.get("expert")
    if job.kind == "join":
        there = select(Expert.id).where(Expert.email == email, Expert.removed_at.is_(None))
        return "" if session.scalar(there) is not None else f"{email} is not an expert any more."
    if job.kind != "grid":
        return ""
    queue = select(Queue.id).join(Expert, Expert.id == Queue.expert_id).join(Attribute)
    queue = queue.where(Expert.email == email, Attribute.name == job.arguments.get("attribute"))
    asks = (Expert.removed_at.is_(None), Queue.closed_at.is_(None), Queue.stopped_at.is_(None))
    if session.scalar(queue.where(*asks)) is None:
        return f"The queue of {email} is stopped or closed, so no pages are made for it."
    return ""
