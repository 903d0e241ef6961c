"""What a monitoring system reads of a workspace: counts from the records and Redis, taken when it asks.

Nothing is counted in a process, so a restart loses nothing and several processes tell the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import and_, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.answers import totals
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Attribute, Job, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    """A number with a ``name``, what it ``means``, the names of its ``labels``, and a value for each set of them."""

    name: str
    means: str
    labels: tuple[str, ...]
    values: tuple[tuple[tuple[str, ...], float], ...]


def figures(settings: Settings) -> list[Figure]:
    """All figures. Where the records or Redis do not answer, `attune_part_up` is 0 and its figures are left out."""
    records, redis = _of_records(settings), _of_redis(settings)
    up = ((("records",), float(records is not None)), (("redis",), float(redis is not None)))
    return [
        Figure("attune_part_up", "1 where the part answers.", ("part",), up),
        *(records or ()),
        *(redis or ()),
    ]


def _of_records(settings: Settings) -> list[Figure] | None:
    try:
        with reading(settings) as session:
            return [
                _images(session),
                _answers(session),
                _questions(session),
                _sync_lag(session),
                *_runs(session),
                *_jobs(session),
            ]
    except SQLAlchemyError:
        return None


def _images(session: Session) -> Figure:
    there = pool_size(session)
    return Figure("attune_images", "Images in the pool.", (), (((), float(there)),))


def _answers(session: Session) -> Figure:
    """As every page counts them: one of an expert on an image, no skips, none that a revision ended."""
    names = dict(session.execute(select(Attribute.id, Attribute.name)).all())
    counted = totals.by_purpose(session, list(names))
    rows = [(names[key], purpose, number) for key, by in counted.items() for purpose, number in sorted(by.items())]
    return _figure("attune_answers", "Answers that count.", ("attribute", "purpose"), rows)


def _questions(session: Session) -> Figure:
    """Of each open queue, so that an empty one is seen: an expert who has nothing to do waits for Attune."""
    rows = session.execute(
        select(Attribute.name, Queue.id, func.count(Task.id))
        .select_from(Queue)
        .join(Attribute, Attribute.id == Queue.attribute_id)
        .outerjoin(Task, and_(Task.queue_id == Queue.id, Task.state == "open"))
        .where(Queue.closed_at.is_(None), Queue.stopped_at.is_(None))
        .group_by(Attribute.name, Queue.id)
    )
    return _figure("attune_open_questions", "Questions that wait in a queue.", ("attribute", "queue"), rows)


def _sync_lag(session: Session) -> Figure:
    newest = session.scalar(select(func.max(Job.finished_at)).where(Job.kind == "sync", Job.state == "done"))
    values = () if newest is None else (((), max(0.0, (now() - newest).total_seconds())),)
    return Figure("attune_sync_lag_seconds", "Seconds since a sync with Label Studio ended well.", (), values)


def _runs(session: Session) -> Iterable[Figure]:
    counts = session.execute(
        select(Attribute.name, func.count(Run.id))
        .join(Attribute, Attribute.id == Run.attribute_id)
        .group_by(Attribute.name)
    )
    yield _figure("attune_runs", "Learning rounds.", ("attribute",), counts)
    newest = select(func.max(Run.id)).group_by(Run.attribute_id)
    rows = session.execute(
        select(Attribute.name, Run.started_at, Run.finished_at)
        .join(Attribute, Attribute.id == Run.attribute_id)
        .where(Run.id.in_(newest))
    )
    seconds = [(name, (finished - started).total_seconds()) for name, started, finished in rows]
    yield _figure("attune_learn_seconds", "Seconds of the last learning round.", ("attribute",), seconds)


def _jobs(session: Session) -> Iterable[Figure]:
    waiting = session.execute(
        select(Job.kind, Job.state, func.count(Job.id))
        .where(Job.state.in_(("queued", "running")))
        .group_by(Job.kind, Job.state)
    )
    yield _figure("attune_jobs", "Jobs that wait or run.", ("kind", "state"), waiting)
    failed = session.execute(
        select(Job.kind, func.count(Job.id))
        .where(Job.state.in_(("failed", "lost")), Job.finished_at >= now() - FAILED_WITHIN)
        .group_by(Job.kind)
    )
    yield _figure("attune_jobs_failed", "Jobs that failed in the last 24 hours.", ("kind",), failed)


def _of_redis(settings: Settings) -> list[Figure] | None:
    try:
        waiting = jobs.waiting(settings).items()
    except RedisError:
        return None
    workers = float(len(jobs.living_workers(settings)))
    return [
        _figure("attune_waiting_jobs", "Jobs that no worker has taken yet.", ("queue",), waiting),
        Figure("attune_workers", "Workers with a heartbeat.", (), (((), workers),)),
    ]


def _figure(name: str, means: str, labels: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> Figure:
    values = tuple((tuple(str(part) for part in row[:-1]), float(row[-1])) for row in rows)
    return Figure(name, means, labels, values)
