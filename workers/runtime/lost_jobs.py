"""Jobs that no one works at any more, though the records call them open: each is sent again, or marked as lost."""

from __future__ import annotations

import logging
from datetime import timedelta

import requests
from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from sqlalchemy import or_, select

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now

log = logging.getLogger("attune.schedule")
SETTLED = timedelta(seconds=60)  # a worker that took a younger job may still be about to say so
SENT = timedelta(seconds=10)  # a younger job may not have reached Redis yet
# The same two just after Redis was away, when someone's answers wait.
SENT_RECOVERED, TAKEN = timedelta(seconds=2), timedelta(seconds=5)
AGAIN = (
    "embed",
    "upload",
    "encoder",
    "reread",
    "publish",
    "score",
    "members",
)  # of jobs begun: someone waits for these; others are asked for again
MOST_TIMES, COUNTED_SECONDS = 3, 86_400
# Kinds that carry a change from the records into Label Studio: they are tried until it is there.
CARRIED = ("join", "leave", "erase", "configure")
CARRY_REST, CARRY_FOR = timedelta(minutes=1), timedelta(days=3)
# Until it is done: someone may be getting in as long as it is not, or was promised that nothing is left.
ENDLESS = ("leave", "erase")


def requeue_lost(settings: Settings, connection: Redis, recovered: bool = False) -> int:
    """Enqueue again, or mark as lost, the jobs that the records call open and that Redis knows no more.

    A worker killed with -9 cannot tell of its job's end, and Redis may have lost its last second. What was waiting is
    sent again, of any kind; of what a worker had begun, that which someone waits for.
    """
    with reading(settings) as session:
        at, sent = now(), SENT_RECOVERED if recovered else SENT
        # Later than now: a clock was set back.
        waiting = (Job.state == "queued") & or_(Job.created_at < at - sent, Job.created_at > at + sent)
        begun = (Job.state == "running") & or_(Job.created_at < at - SETTLED, Job.created_at > at + SETTLED)
        query = select(Job).where(or_(waiting, begun)).order_by(Job.created_at)
        open_ones = list(session.scalars(query))
    # Asked again after Redis: a job that ended between the two questions is not gone.
    lost = [job for job in open_ones if not _is_in_redis(connection, job, closely=recovered) and _still(settings, job)]
    for job in lost:
        if job.state == "queued":
            log.warning("%s waited and Redis lost it: it is sent again", job.id)
            jobs.send(connection, job.id, job.kind)
            continue
        times = _count_requeue(connection, job.id)
        if job.kind in AGAIN and times < MOST_TIMES:
            log.warning("%s is brought back: its worker died or Redis lost it", job.id)
            jobs.send(connection, job.id, job.kind)
            continue
        died = (
            f"Its worker died {times} times, perhaps for lack of memory." if job.kind in AGAIN else "Its worker died."
        )
        jobs.fail(settings, job.id, died, state="lost")
    return len(lost)


def retry_failed(settings: Settings, connection: Redis, recovered: bool = False) -> int:
    """Send again the failed jobs whose change Label Studio has not been told of, for some days or ENDLESS; how many.

    Each rests a minute, but for those that Redis was away for, now that it is back.
    """
    rested = Job.finished_at < now() - CARRY_REST
    with reading(settings) as session:
        lost = (Job.state.in_(("failed", "lost")), Job.kind.in_(CARRIED))
        lately = or_(Job.created_at > now() - CARRY_FOR, Job.kind.in_(ENDLESS))
        when = (or_(rested, Job.state == "lost") if recovered else rested, lately)
        waiting = list(session.scalars(select(Job).where(*lost, *when).order_by(Job.created_at)))
    if not waiting or not label_studio_answers(settings):
        return 0
    for job in waiting:
        with writing(settings) as session:
            row = session.get_one(Job, job.id)
            row.state, row.finished_at = "queued", None
        jobs.send(connection, job.id, job.kind)
    return len(waiting)


def _still(settings: Settings, job: Job) -> bool:
    with reading(settings) as session:
        return session.scalar(select(Job.state).where(Job.id == job.id)) == job.state


def _is_in_redis(connection: Redis, job: Job, closely: bool) -> bool:
    """Whether rq holds the job as waiting or begun; a job whose worker shows no more signs of life soon is neither.

    ``closely``: a job that waits must stand in its queue, or have been taken just now: a worker that took it while
    Redis went away has dropped it.
    """
    try:
        message = Message.fetch(job.id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return False
    status = message.get_status(refresh=False)
    if closely and job.state == "queued" and status == "queued":
        return jobs.is_waiting(connection, job)
    if closely and job.state == "queued" and status == "started":
        return message.started_at is None or message.started_at > now() - TAKEN
    return status in {"queued", "started", "deferred", "scheduled"}


def _count_requeue(connection: Redis, job_id: str) -> int:
    """How often the job was enqueued again before; counts this time."""
    key = f"attune:again:{job_id}"
    before = int(connection.incr(key)) - 1
    connection.expire(key, COUNTED_SECONDS)
    return before


def label_studio_answers(settings: Settings) -> bool:
    """Whether Label Studio is healthy."""
    try:
        return requests.get(f"{settings.label_studio_address}/health", timeout=3).ok
    except requests.RequestException:
        return False
