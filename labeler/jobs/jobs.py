"""Ask the workers for jobs by dotted name: enqueue, follow, or run in this process where no worker lives.

The kinds are strings, so that the web process never imports the jobs' code; a test resolves every one of them.
"""

from __future__ import annotations

import importlib
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, hidden
from attune.labeler.settings.secrets import redis_address
from attune.labeler.traces import spans
from attune.models.clock import now
from attune.models.errors import JobError, JobLost, ServiceDown

Report = Callable[[int, int], None]

# kind -> (function `run(settings, report, **arguments) -> dict`, queue). Workers drain them in the order of QUEUES.
KINDS = {
    "learn": ("attune.workers.jobs.learn:run", "learn"),
    "sync": ("attune.workers.sync.sync:run", "learn"),
    "publish": ("attune.workers.jobs.publish:run", "publish"),
    "score": ("attune.workers.jobs.score_pool:run", "publish"),
    "embed": ("attune.workers.jobs.embed:run", "embed"),
    "upload": ("attune.workers.jobs.take_upload:run", "embed"),
    "reread": ("attune.workers.jobs.reread_images:run", "embed"),
    "drift": ("attune.workers.jobs.watch_drift:run", "publish"),
    "import": ("attune.workers.jobs.import_job:run", "publish"),
    "notify": ("attune.workers.jobs.notify:run", "publish"),
    "explore": ("attune.workers.jobs.explore_pool:run", "explore"),
    "encoder": ("attune.workers.jobs.switch_encoder:run", "embed"),
    "join": ("attune.workers.jobs.label_studio_access:join", "people"),
    "leave": ("attune.workers.jobs.label_studio_access:leave", "access"),
    "erase": ("attune.workers.jobs.label_studio_access:erase", "people"),
    "configure": ("attune.workers.jobs.label_studio_access:configure", "people"),
    "grid": ("attune.workers.jobs.make_grids:run", "learn"),
    "clusters": ("attune.workers.jobs.make_clusters:run", "embed"),
    "describe": ("attune.workers.jobs.describe_clusters:run", "embed"),
    "layers": ("attune.workers.jobs.compute_spaces:run", "embed"),
    "map": ("attune.workers.jobs.make_map:run", "embed"),
    "duplicates": ("attune.workers.jobs.find_duplicates:run", "embed"),
    "measure": ("attune.workers.jobs.measure:run", "embed"),
    "insights": ("attune.workers.jobs.run_insights:run", "embed"),
    "goes_with": ("attune.workers.jobs.learn_goes_with:run", "embed"),
    "performance": ("attune.workers.jobs.add_performance:run", "embed"),
    "members": ("attune.workers.jobs.group_members:run", "embed"),
    "learn_taste": ("attune.workers.jobs.learn_taste:run", "embed"),
    "fine_tune": ("attune.workers.jobs.fine_tune:run", "embed"),
    "similar": ("attune.workers.jobs.prepare_similar:run", "embed"),
    "review": ("attune.workers.jobs.measure_review:run", "publish"),
}
HINTS = "hints"  # the line of the readings that webhooks ask for, which are no jobs of the records
# First what ends someone's access: nothing that a stranger can ask for goes before it.
QUEUES = ("access", "people", "explore", HINTS, "learn", "publish", "embed")
QUICK = tuple(name for name in QUEUES if name != "embed")  # of the worker that an answer never waits for
ACCESS = ("access",)  # of one that does nothing else: the others may all be in the middle of something long
TIMEOUT = timedelta(hours=2)
LOOK_SECONDS = 5  # between two looks whether someone is there to do a job that is waited for
HEARTBEAT_LIMIT = timedelta(seconds=60)  # three times as long as a worker ever takes between two signs of life


def quiet(done: int, total: int) -> None:
    """A report that no one reads."""


def connect(settings: Settings) -> Redis:
    """The Redis of this workspace. Connecting is lazy: errors come with the first command."""
    return Redis.from_url(redis_address(settings), socket_connect_timeout=2, health_check_interval=30)


def waiting(settings: Settings) -> dict[str, int]:
    """How many jobs of each queue no worker has taken yet. Raises RedisError."""
    connection = connect(settings)
    return {name: Queue(name, connection=connection).count for name in QUEUES}


def workers_alive(settings: Settings, kind: str) -> bool:
    """Whether at least one worker that takes jobs of ``kind`` has shown a heartbeat lately.

    False also where Redis does not answer. Raises KeyError for an unknown kind.
    """
    return any(KINDS[kind][1] in queues for queues in living_workers(settings))


def living_workers(settings: Settings) -> list[tuple[str, ...]]:
    """The queues of each worker that has shown a heartbeat lately; none also where Redis does not answer."""
    lately = now() - HEARTBEAT_LIMIT
    try:
        workers = Worker.all(connection=connect(settings), serializer=JSONSerializer)
    except RedisError:
        return []
    living = [one for one in workers if one.death_date is None and (one.last_heartbeat or lately) > lately]
    return [tuple(one.queue_names()) for one in living]


def enqueue(settings: Settings, kind: str, **arguments: Any) -> str:
    """Put a job into its queue and return its id; ``arguments`` are ids and numbers that JSON can hold.

    Raises ServiceDown where Redis does not answer, and KeyError for an unknown kind.
    """
    with writing(settings) as session:
        job_id = record(session, kind, **arguments)
    hand_over(settings, job_id, kind)
    return job_id


def record(session: Session, kind: str, **arguments: Any) -> str:
    """Write a job down in the caller's transaction, to be handed over after it, and return its id.

    So what a change entails is asked for if and only if the change is kept: killed in between, the job is found and
    enqueued again. Raises KeyError for an unknown kind.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    job_id = f"{kind}-{secrets.token_hex(8)}"
    subject = arguments.get("attribute")
    session.add(Job(id=job_id, kind=kind, subject=subject, arguments=arguments, state="queued", created_at=now()))
    return job_id


def hand_over(settings: Settings, job_id: str, kind: str) -> None:
    """Put a job that was recorded into its queue. Raises ServiceDown, with the job marked as lost, without Redis.

    Lost, not failed: no worker has tried it, so nothing is to rest before it is asked for again.
    """
    try:
        send(connect(settings), job_id, kind)
    except RedisError as error:
        fail(
            settings,
            job_id,
            "Redis does not answer, so the job was not sent to a worker. To test each service: `attune doctor`",
            state="lost",
        )
        raise ServiceDown(
            f"Redis does not answer at {hidden(settings.redis_address)}. Start everything (`attune up`), or set "
            "ATTUNE_REDIS_URL to a running Redis. To test each service: `attune doctor`"
        ) from error


def send(connection: Redis, job_id: str, kind: str) -> None:
    """Put a recorded job's message into its queue. Raises RedisError, and KeyError for an unknown kind."""
    _, queue = KINDS[kind]
    Queue(queue, connection=connection, serializer=JSONSerializer).enqueue(
        "attune.workers.runtime.perform.perform",
        args=(job_id,),
        job_id=job_id,
        meta=spans.passed_on(),
        job_timeout=int(TIMEOUT.total_seconds()),
        result_ttl=3600,
        failure_ttl=86400,
    )


def send_again(settings: Settings, job: Job) -> None:
    """Put a waiting job's message back into its queue where it stands there no more; jobs may be done twice.

    Redis killed within its last second forgets it; a worker killed just after taking it leaves it nowhere.
    """
    with suppress(RedisError):
        connection = connect(settings)
        if job.state == "queued" and not is_waiting(connection, job):
            send(connection, job.id, job.kind)


def is_waiting(connection: Redis, job: Job) -> bool:
    """Whether the job's message stands in its queue. Raises RedisError."""
    queue = Queue(KINDS[job.kind][1], connection=connection, serializer=JSONSerializer)
    return queue.get_job_position(job.id) is not None


def run_here(settings: Settings, kind: str, report: Report = quiet, **arguments: Any) -> dict[str, Any]:
    """Do the job in this process."""
    module, _, function = KINDS[kind][0].partition(":")
    done: dict[str, Any] = getattr(importlib.import_module(module), function)(settings, report, **arguments)
    return done


def ask(settings: Settings, kind: str, report: Report = quiet, wait: bool = True, **arguments: Any) -> dict[str, Any]:
    """Enqueue where workers live (and wait, unless told not to), else run here; the result either way.

    Without waiting the result is ``{"job": id}``.
    """
    if not workers_alive(settings, kind):
        return run_here(settings, kind, report, **arguments)
    job_id = enqueue(settings, kind, **arguments)
    return follow(settings, job_id, report) if wait else {"job": job_id}


def follow(settings: Settings, job_id: str, report: Report = quiet, poll_seconds: float = 0.1) -> dict[str, Any]:
    """Wait for a job to end and return its result.

    Raises JobError with the job's own message where it failed, JobLost where its record is gone or no worker lives.
    """
    last_alive = time.monotonic()
    while True:
        with reading(settings) as session:
            job = session.get(Job, job_id)
        if job is None:
            raise JobLost(f"Job {job_id} does not exist. Run the command again.")
        report(job.done, job.total)
        if job.state == "done":
            return job.result
        if job.state in {"failed", "lost"}:
            error_text = failures.shown(job.id, job.error)
            raise JobError(f"The job {job.kind} failed: {error_text} The worker's log in {settings.logs} has details.")
        if time.monotonic() - last_alive > LOOK_SECONDS:
            if not workers_alive(settings, job.kind):
                raise JobLost(f"No worker is running, so {job_id} waits in Redis. Start the workers: `attune up`")
            send_again(settings, job)
            last_alive = time.monotonic()
        time.sleep(poll_seconds)


def finish(settings: Settings, job_id: str, result: dict[str, Any]) -> None:
    """Mark a job as done."""
    with writing(settings) as session:
        job = session.get_one(Job, job_id)
        job.state, job.result, job.finished_at = "done", result, now()


def fail(settings: Settings, job_id: str, error: str, state: str = "failed") -> None:
    """Mark a job as failed, or as lost where no worker could bring it to an end."""
    with writing(settings) as session:
        job = session.get(Job, job_id)
        if job is not None:
            job.state, job.error, job.finished_at = state, error, now()
