"""A webhook of Label Studio is a hint: it names a project of ours, and that project is read soon. Nothing that it says
is believed or kept: what is true is read from Label Studio with our own token.

Whoever knows the webhooks' secret can make us read, and no more than that: one reading waits for each project, and
readings that find nothing new are limited.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue as Waiting
from rq.serializers import JSONSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Grid, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import redis_address

log = logging.getLogger("attune.hints")
QUEUE, PAGES = "queue", "pages"
JOB = "attune.workers.sync.hinted.perform"
NUMBER = "([1-9][0-9]{0,8})"  # one way to write each, as a project's limits hang on its name
NAME = re.compile(f"({QUEUE}|{PAGES})-{NUMBER}-{NUMBER}")
WAITING, IN_VAIN = "attune:hint:", "attune:hints-in-vain:"  # keys in Redis, each followed by the project's name
EXCUSED = b"excused"  # in the first of them, of a reading that does not count where it finds nothing
REDIS_SECONDS = 0.5  # an expert's click waits for Label Studio, which waits for us
FORGOTTEN_SECONDS = 300  # after a worker that died with a hint in hand; meanwhile the periodic sync finds the answers
MOST_IN_VAIN, IN_VAIN_SECONDS = 30, 60  # readings without news, after which the periodic sync has to do


def address(settings: Settings, kind: str, attribute_id: int, expert_id: int) -> str:
    """Where the webhook of an expert's queue, or pages, calls: the address names the project, so no body is needed."""
    return f"{base(settings)}/{kind}-{attribute_id}-{expert_id}"


def base(settings: Settings) -> str:
    """What all webhooks' addresses begin with."""
    return f"{settings.webhook_address}/webhooks/label-studio"


def row_of_name(session: Session, name: str) -> Queue | Grid | None:
    """The queue or pages that a webhook's address names; None where we have no such thing."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    attribute, expert = int(match[2]), int(match[3])
    if match[1] == QUEUE:
        return session.scalar(select(Queue).where(Queue.attribute_id == attribute, Queue.expert_id == expert))
    return session.scalar(select(Grid).where(Grid.attribute_id == attribute, Grid.expert_id == expert))


def name_of_project(session: Session, number: int) -> str:
    """The name of what has this project in Label Studio, as webhooks of before names say it; empty for none of ours."""
    queue = session.scalar(select(Queue).where(Queue.project == number))
    found = queue or session.scalar(select(Grid).where(Grid.project == number))
    return "" if found is None else name_of(found)


def name_of(row: Queue | Grid) -> str:
    """What the webhook's address calls a queue or pages."""
    return f"{QUEUE if isinstance(row, Queue) else PAGES}-{row.attribute_id}-{row.expert_id}"


def ask(settings: Settings, name: str, project: int | None = None) -> bool:
    """Ask for a reading of the project ``name``, or of Label Studio's ``project`` where there is no name.

    False where nothing was asked for: it is none of ours, one waits already, too many were in vain, or Redis is away.
    The periodic sync finds all answers in any case.
    """
    with reading(settings) as session:
        if not name and project is not None:
            name = name_of_project(session, project)
        row = row_of_name(session, name)
        if row is None:
            return False
        name = name_of(row)
    try:
        with _redis(settings) as redis:
            if int(redis.get(IN_VAIN + name) or 0) >= MOST_IN_VAIN:
                return False
            if not redis.set(WAITING + name, 1, nx=True, ex=FORGOTTEN_SECONDS):
                return False
            try:
                _send(redis, name)
            except RedisError:
                with suppress(RedisError):  # or the next hints would rest for a reading that no one was asked for
                    redis.delete(WAITING + name)
                raise
    except RedisError as error:
        log.warning("%s is left to the next sync: %s", name, error)
        return False
    return True


def _send(redis: Redis, name: str) -> None:
    Waiting(jobs.HINTS, connection=redis, serializer=JSONSerializer).enqueue(
        JOB,
        args=(name,),
        job_timeout=int(jobs.TIMEOUT.total_seconds()),
        result_ttl=0,
        failure_ttl=3600,
    )


def begin(settings: Settings, name: str) -> bool:
    """The reading starts: what is hinted at from here on needs another one. Raises RedisError.

    Whether it may be in vain: it was hinted at while another reading continued, which found news, perhaps this one's.
    """
    with _redis(settings) as redis:
        return bool(redis.getdel(WAITING + name) == EXCUSED)


def clear_empty_readings(settings: Settings, name: str) -> None:
    """Forget the readings in vain, and excuse the one that was hinted at in the meantime. Raises RedisError."""
    with _redis(settings) as redis:
        redis.delete(IN_VAIN + name)
        redis.set(WAITING + name, EXCUSED, xx=True, keepttl=True)


def count_empty_reading(settings: Settings, name: str) -> None:
    """Count a reading that found nothing new. Raises RedisError."""
    with _redis(settings) as redis:
        if redis.incr(IN_VAIN + name) == 1:
            redis.expire(IN_VAIN + name, IN_VAIN_SECONDS)


def others_wait(settings: Settings) -> bool:
    """Whether other readings wait for a worker. Raises RedisError."""
    with _redis(settings) as redis:
        return Waiting(jobs.HINTS, connection=redis, serializer=JSONSerializer).count > 0


def _redis(settings: Settings) -> Redis:
    return Redis.from_url(
        redis_address(settings),
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
