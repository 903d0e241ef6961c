"""Ask the workers for an expert's next pages of images, once at a time, and say how that goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext
from sqlalchemy import select

from attune.labeler.jobs import failures, jobs
from attune.labeler.labelling import own_queue
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

# That wait at a time, a screen of 48 for each of four classes: nobody else is asked about an image that waits.
MOST_IMAGES = 192
REST = timedelta(minutes=1)  # after a job that failed, or that found the pool exhausted
LOST = timedelta(minutes=10)  # a job that waits longer is asked for again
QUEUED, RUNNING, EXHAUSTED, FAILED, PAUSED = "queued", "running", "exhausted", "failed", "paused"


@dataclass(frozen=True)
class Making:
    """How the making of pages goes: queued, running, exhausted, failed, or paused where an owner stopped the queue.

    ``text`` is what people may read of an error.
    """

    state: str
    text: str = ""


def why_failed(job: Job) -> str:
    """What the expert reads of a failed job: in the page's language where no one foresaw it, else as it was said."""
    if job.error and failures.shown(job.id, job.error) != failures.of_job(job.id):
        return job.error
    stopped: str = gettext(
        "Choosing the images stopped because of an unexpected error. Start again. If it stops again, send the number "
        "%(job)s to an admin.",
        job=job.id,
    )
    return stopped


def ask(settings: Settings, viewer: Viewer, name: str, images: int, again: bool = False) -> Making:
    """Have pages made until ``images`` images wait, unless a job is at it already.

    After a failure it rests for a minute, or goes on at once with ``again``. Raises UnknownAttribute, AccessError,
    ServiceDown.
    """
    with reading(settings) as session:
        _, queue, expert = own_queue.find(session, viewer, name)
        if queue.stopped_at is not None:
            return Making(PAUSED)
        own = (Job.kind == "grid", Job.subject == name, Job.arguments["expert"].as_string() == expert.email)
        job = session.scalar(select(Job).where(*own).order_by(Job.created_at.desc()).limit(1))
    if job is not None:
        if job.state in {QUEUED, RUNNING} and abs(now() - job.created_at) < LOST:
            return Making(job.state)
        lately = job.finished_at is not None and abs(now() - job.finished_at) < REST
        if lately and not again:
            if job.state == "done" and job.result.get("exhausted"):
                return Making(EXHAUSTED)
            if job.state == "failed":
                return Making(FAILED, why_failed(job))
    wanted = min(max(images, 1), MOST_IMAGES)
    jobs.enqueue(settings, "grid", attribute=name, expert=expert.email, images=wanted)
    return Making(QUEUED)
