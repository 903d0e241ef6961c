"""The clockwork: `python -m workers.schedule` asks every few seconds for what no event has asked for.

Each beat brings back jobs whose worker died, asks for one sync of all queues and for a learning round wherever answers
wait, and forgets old jobs. A beat that fails is logged, and the next one comes.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import requests
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from labeler import entry, ingest, jobs, mending
from labeler.label_studio import LabelStudio
from labeler.lease import is_free
from labeler.records import schema
from labeler.records.schema import Attribute, Job, Run
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import AttuneError
from workers import newcomers, telling
from workers.main import prepare_log

log = logging.getLogger("attune.schedule")
SETTLED = timedelta(seconds=60)  # a younger job may not have reached Redis yet
AGAIN = ("embed", "encoder", "publish", "score")  # somebody waits for these; learn and sync are asked for anew
ROUTINE = ("sync", "learn", "notify")
MOST_TIMES = 3
# Kinds that carry a change from the records into Label Studio: they are tried until it is there.
CARRIED = ("join", "leave", "configure")
CARRY_REST, CARRY_FOR = timedelta(minutes=1), timedelta(days=3)
KEPT_ROUTINE, KEPT_OTHERS = timedelta(days=1), timedelta(days=90)
REST_AFTER_FAILURE = 10  # beats
PATIENCE_SECONDS = 120
MENDED_KEY = "attune:mended"
WHOLE_KEY, WHOLE_SECONDS = "attune:whole-sync", 86_400


def main() -> int:
    """Beat until stopped; the exit code."""
    entry.parser("workers.schedule", __doc__).parse_args()
    return entry.run(go_on)


def go_on(settings: Settings) -> None:
    """Beat until stopped."""
    prepare_log(settings.log_level)
    for _ in range(PATIENCE_SECONDS):  # its first start takes a while, and every beat before would be half a beat
        if label_studio_answers(settings):
            break
        time.sleep(1)
    while True:
        began = time.monotonic()
        try:
            beat(settings)
        except RedisError as error:
            log.error("this beat was lost: %s: %s", type(error).__name__, error)
        time.sleep(max(0.0, settings.sync_seconds - (time.monotonic() - began)))


def beat(settings: Settings) -> dict[str, int]:
    """One beat; how much was mended, brought back, asked for and forgotten, by kind.

    Raises RedisError where Redis does not answer, before anything is asked for.
    """
    connection = jobs.connect(settings)
    connection.ping()
    told: dict[str, int] = {}
    for step in STEPS:
        try:
            told |= step(settings, connection)
        except (AttuneError, SQLAlchemyError, RedisError) as error:
            log.error("a step of this beat was lost: %s: %s", type(error).__name__, error)
        except Exception:
            log.exception("a step of this beat was lost")
    return told


def mend(settings: Settings, connection: Redis) -> int:
    """Mend the queues in Label Studio once a day, and at the first beat after addresses changed, as ports may."""
    addresses = f"{settings.web_address} {settings.webhook_address} {settings.label_studio_address}"
    if connection.get(MENDED_KEY) == addresses.encode() or not label_studio_answers(settings):
        return 0
    with LabelStudio.connect(settings) as ls:
        mended = mending.mend_all(settings, ls)
    connection.set(MENDED_KEY, addresses, ex=WHOLE_SECONDS)
    return mended


def bring_back(settings: Settings, connection: Redis) -> int:
    """Enqueue again, or mark as lost, the jobs that the records call open and that Redis knows no more.

    A worker killed with -9 cannot tell of its job's end, and Redis may have lost its last second.
    """
    with reading(settings) as session:
        # Later than now: a clock was set back.
        settled = or_(Job.created_at < now() - SETTLED, Job.created_at > now() + SETTLED)
        wanted = select(Job).where(Job.state.in_(("queued", "running")), settled)
        waiting = list(session.scalars(wanted))
    # Asked again after Redis: a job that ended between the two questions is not gone.
    gone = [job for job in waiting if not _known(connection, job.id) and _still(settings, job)]
    for job in gone:
        times = _count(connection, job.id)
        if job.kind in AGAIN and times < MOST_TIMES:
            log.warning("%s is brought back: its worker died or Redis lost it", job.id)
            jobs.send(connection, job.id, job.kind)
            continue
        with writing(settings) as session:
            row = session.get_one(Job, job.id)
            row.state, row.finished_at = "lost", now()
            row.error = (
                f"Its worker died {times} times, as from lack of memory." if job.kind in AGAIN else "Its worker died."
            )
    return len(gone)


def carry_on(settings: Settings, connection: Redis) -> int:
    """Send again the failed jobs whose change Label Studio has not been told of, for some days; how many."""
    with reading(settings) as session:
        lost = (Job.state.in_(("failed", "lost")), Job.kind.in_(CARRIED))
        when = (Job.finished_at < now() - CARRY_REST, Job.created_at > now() - CARRY_FOR)
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


def _known(connection: Redis, job_id: str) -> bool:
    """Whether rq holds the job as waiting or begun; a job whose worker shows no more signs of life soon is neither."""
    try:
        message = Message.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except NoSuchJobError:
        return False
    return message.get_status(refresh=False) in {"queued", "started", "deferred", "scheduled"}


def _count(connection: Redis, job_id: str) -> int:
    """How often the job was brought back before; counts this time."""
    key = f"attune:again:{job_id}"
    before = int(connection.incr(key)) - 1
    connection.expire(key, WHOLE_SECONDS)
    return before


def ask_to_sync(settings: Settings, connection: Redis) -> int:
    """Ask for one sync of all queues, unless one is open or Label Studio is away; once a day for a whole one."""
    with reading(settings) as session:
        open_one = select(Job.id).where(Job.kind == "sync", Job.state.in_(("queued", "running")))
        if session.scalar(open_one.limit(1)):
            return 0
    if not label_studio_answers(settings):
        log.warning("no sync: Label Studio does not answer at %s", settings.label_studio_address)
        return 0
    whole = bool(connection.set(WHOLE_KEY, "1", nx=True, ex=WHOLE_SECONDS))
    jobs.enqueue(settings, "sync", whole=whole)
    return 1


def label_studio_answers(settings: Settings) -> bool:
    """Whether Label Studio is healthy."""
    try:
        return requests.get(f"{settings.label_studio_address}/health", timeout=3).ok
    except requests.RequestException:
        return False


def ask_to_learn(settings: Settings) -> int:
    """Ask for a round of every attribute with answers that no round has seen, or a queue in an older run's order.

    Not where a learner is at work, nor where nobody has a queue yet.
    """
    # Correlated by hand: two levels down SQLAlchemy would take the newest run of all attributes.
    newest = select(func.max(Run.number)).where(Run.attribute_id == Attribute.id).correlate(Attribute).scalar_subquery()
    mine = (schema.Queue.attribute_id == Attribute.id) & schema.Queue.closed_at.is_(None)
    behind = exists().where(mine, schema.Queue.order_run < newest)
    with reading(settings) as session:
        wanted = select(Attribute.name).where(
            Attribute.retired_at.is_(None),
            exists().where(mine),
            or_(Attribute.answers_counter > Attribute.learned_counter, behind),
            is_free(),
        )
        names = list(session.scalars(wanted))
        rest = timedelta(seconds=settings.sync_seconds * REST_AFTER_FAILURE)
        failed = select(Job.subject).where(Job.kind == "learn", Job.state == "failed", Job.finished_at > now() - rest)
        resting = set(session.scalars(failed))
    asked = [name for name in names if name not in resting]
    for name in asked:
        ingest.ask_to_learn(settings, name)
    return len(asked)


def forget(settings: Settings) -> int:
    """Delete the rows of jobs that ended long ago, of the routine ones sooner."""
    old = Job.finished_at < now() - KEPT_OTHERS
    routine = Job.kind.in_(ROUTINE) & (Job.state == "done") & (Job.finished_at < now() - KEPT_ROUTINE)
    with writing(settings) as session:
        return int(session.execute(delete(Job).where(or_(old, routine))).rowcount)  # type: ignore[attr-defined]


Step = Callable[[Settings, Redis], dict[str, int]]
# An error in one stops none of the others: a Label Studio that is away must not keep lost jobs from coming back.
STEPS: tuple[Step, ...] = (
    lambda settings, redis: {"mended": mend(settings, redis)},
    lambda settings, redis: {"brought_back": bring_back(settings, redis)},
    lambda settings, redis: {"carried": carry_on(settings, redis)},
    lambda settings, redis: {"syncs": ask_to_sync(settings, redis)},
    lambda settings, _: {"rounds": ask_to_learn(settings)},
    lambda settings, _: newcomers.ask(settings),
    telling.ask,
    lambda settings, _: {"forgotten": forget(settings)},
)


if __name__ == "__main__":
    sys.exit(main())
