"""One idempotent way in for answers: a webhook's hint and the sync's reading both end in ``store``.

Events may come twice, late, or out of order; Label Studio never uses an annotation's id again, so a deletion is final
and the newest ``updated_at`` wins otherwise. Every state ever seen is kept in ``annotation_events``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler import aside, changes, jobs, revisions
from labeler.label_studio.config import read_value
from labeler.records.schema import Annotation, Asset, Attribute, Expert, Job, Queue, Task, Tombstone
from labeler.records.session import reading
from labeler.settings import Settings
from models.answers import BY_HAND
from models.clock import now, parse
from models.errors import ServiceDown, UnknownAnnotationShape

log = logging.getLogger("attune.ingest")
PATIENCE = timedelta(minutes=1)  # a learn job that waits longer was lost with its Redis, and another is asked for


@dataclass(frozen=True)
class Seen:
    """An annotation as Label Studio told it, once."""

    label_studio_id: int
    label_studio_task: int
    asset_id: str
    value: str  # a class, "unsure" or "skip"
    completed_by: int | None
    answered_at: datetime
    updated_at: datetime
    lead_seconds: float | None


def read(annotation: Mapping[str, Any], task: int, asset_id: str, classes: Sequence[str]) -> Seen:
    """A ``Seen`` from Label Studio's JSON of one annotation.

    Raises UnknownAnnotationShape where the result is not of the attribute's form.
    """
    try:
        completed_by = annotation.get("completed_by")
        if isinstance(completed_by, Mapping):
            completed_by = completed_by.get("id")
        seconds = annotation.get("lead_time")
        return Seen(
            label_studio_id=int(annotation["id"]),
            label_studio_task=task,
            asset_id=asset_id,
            value=read_value(annotation, classes),
            completed_by=None if completed_by is None else int(completed_by),
            answered_at=_moment(annotation["created_at"]),
            updated_at=_moment(annotation["updated_at"]),
            lead_seconds=None if seconds is None else float(seconds),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, UnknownAnnotationShape):
            raise
        raise UnknownAnnotationShape(
            f"Annotation {annotation.get('id')!r} lacks or garbles {error}; expected id, result, created_at and "
            "updated_at as Label Studio 1.23 sends them."
        ) from error


def store(session: Session, queue: Queue, seen: Seen, via: str) -> bool:
    """Bring one annotation into the records; True where it changes what a learner sees. Idempotent.

    ``via`` says which path told it: webhook, sync or import.
    """
    changes.one_writer(session, queue.attribute_id)
    if session.get(Tombstone, seen.label_studio_id):
        return False
    known = session.scalar(select(Annotation).where(Annotation.label_studio_id == seen.label_studio_id))
    value = revisions.value_now(session, queue.attribute_id, seen.value, seen.updated_at)
    if known is None:
        return _create(session, queue, seen, value, via)
    if seen.updated_at <= known.updated_at:
        return False
    is_aside = aside.is_aside(session, known)
    if known.deleted_at is not None and not is_aside and not revisions.lapsed(session, known):
        return False
    if not _is_same(session, queue, known, seen):
        log.error(
            "annotation %s is on %r of queue %d now, and was on another image before; kept as it was. Was the "
            "database of Label Studio exchanged?", seen.label_studio_id, seen.asset_id, queue.id,
        )  # fmt: skip
        return False
    if is_aside:
        if value is not None:
            aside.correct(session, known, value, seen.updated_at, via)
        return False
    changed = known.value != value or known.deleted_at is not None
    known.value, known.updated_at, known.lead_seconds = value or seen.value, seen.updated_at, seen.lead_seconds
    if known.deleted_at is not None and value is not None:  # corrected since a revision ended it
        known.revision = session.get_one(Attribute, known.attribute_id).revision
    known.deleted_at = None if value is not None else known.deleted_at or now()
    changes.remember(session, known, "changed" if value is not None else revisions.LAPSED, via)
    if changed and known.task_id:
        session.get_one(Task, known.task_id).state = "answered" if value is not None else "retired"
    if changed:
        changes.count(session, known.attribute_id)
    return changed


def _is_same(session: Session, queue: Queue, known: Annotation, seen: Seen) -> bool:
    """Whether what is told belongs to the annotation held: a Label Studio begun anew counts its ids from 1 again."""
    asset = session.get_one(Asset, known.asset_pk)
    return known.attribute_id == queue.attribute_id and asset.asset_id == seen.asset_id


def _create(session: Session, queue: Queue, seen: Seen, value: str | None, via: str) -> bool:
    task = _task_of(session, queue, seen)
    if task is None:
        log.warning("annotation %s left out: no asset %r in the records", seen.label_studio_id, seen.asset_id)
        return False
    expert = session.scalar(
        select(Expert).where(Expert.label_studio_user == seen.completed_by, Expert.label_studio_user.is_not(None))
    )
    made = Annotation(
        label_studio_id=seen.label_studio_id,
        attribute_id=queue.attribute_id,
        revision=session.get_one(Attribute, queue.attribute_id).revision,
        task_id=task.id,
        label_studio_task=seen.label_studio_task,
        asset_pk=task.asset_pk,
        expert_id=expert.id if expert else queue.expert_id,
        value=value or seen.value,
        deleted_at=None if value is not None else now(),
        purpose=task.purpose,
        inclusion=task.inclusion,
        lead_seconds=seen.lead_seconds,
        answered_at=seen.answered_at,
        updated_at=seen.updated_at,
        received_at=now(),
    )
    session.add(made)
    session.flush()
    changes.remember(session, made, "created" if value is not None else revisions.LAPSED, via)
    # What holds no longer may be asked once more: Label Studio has the task as answered, so it needs a new one.
    task.state = "answered" if value is not None else "retired"
    changes.count(session, queue.attribute_id)
    return True


def _task_of(session: Session, queue: Queue, seen: Seen) -> Task | None:
    task = session.scalar(select(Task).where(Task.label_studio_task == seen.label_studio_task))
    if task is not None:
        return task
    # A task that the records lost (killed between Label Studio's import and ours) or that somebody put in by hand.
    asset = session.scalar(select(Asset).where(Asset.asset_id == seen.asset_id))
    if asset is None:
        return None
    twin = session.scalar(select(Task).where(Task.queue_id == queue.id, Task.asset_pk == asset.id))
    if twin is not None:
        return twin
    task = Task(
        queue_id=queue.id,
        asset_pk=asset.id,
        label_studio_task=seen.label_studio_task,
        purpose=BY_HAND,
        utility=0.0,
        reason="Somebody put this image into the queue by hand.",
        run=0,
        created_at=now(),
    )
    session.add(task)
    session.flush()
    return task


def delete(session: Session, label_studio_ids: Sequence[int], via: str, attribute_id: int | None = None) -> set[int]:
    """Mark annotations as deleted, also those not seen yet; the ids of the attributes whose answers changed.

    ``attribute_id``: the one that all of them belong to, where that is known.
    """
    touched: set[int] = set()
    if label_studio_ids:
        changes.one_writer(session, attribute_id)
    for label_studio_id in label_studio_ids:
        if session.get(Tombstone, label_studio_id) is None:
            session.add(Tombstone(label_studio_id=label_studio_id, deleted_at=now()))
        known = session.scalar(select(Annotation).where(Annotation.label_studio_id == label_studio_id))
        if known is None:
            continue
        if aside.is_aside(session, known):
            aside.withdraw(session, known, via)
            _reopen(session, known)
        if known.deleted_at is not None:
            continue
        known.deleted_at = now()
        changes.remember(session, known, "deleted", via)
        _reopen(session, known)
        changes.count(session, known.attribute_id)
        touched.add(known.attribute_id)
    return touched


def _reopen(session: Session, gone: Annotation) -> None:
    """A task whose last answer was deleted is served again by Label Studio."""
    others = select(Annotation.id).where(
        Annotation.task_id == gone.task_id, Annotation.deleted_at.is_(None), Annotation.id != gone.id
    )
    if gone.task_id and session.scalar(others.limit(1)) is None:
        session.get_one(Task, gone.task_id).state = "open"


def missing(session: Session, label_studio_task: int, present: Sequence[int], asked_at: datetime) -> list[int]:
    """Label Studio ids of a task's annotations that the records hold and Label Studio no longer does.

    One received after ``asked_at`` (when Label Studio was asked) is newer than that answer and not missing.
    """
    held = session.scalars(
        select(Annotation.label_studio_id).where(
            Annotation.label_studio_task == label_studio_task,
            aside.held(),
            Annotation.received_at < asked_at,
        )
    )
    return [found for found in held if found is not None and found not in set(present)]


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else parse(str(value))


def ask_to_learn(settings: Settings, attribute: str) -> None:
    """Enqueue a learning round unless one waits already; a lost Redis costs only time, the sweep asks again."""
    waiting = select(Job.id).where(
        Job.kind == "learn",
        Job.subject == attribute,
        Job.state == "queued",
        Job.created_at.between(now() - PATIENCE, now() + PATIENCE),  # later than now: a clock was set back
    )
    with reading(settings) as session:
        if session.scalar(waiting.limit(1)):
            return
    try:
        jobs.enqueue(settings, "learn", attribute=attribute)
    except ServiceDown as error:
        log.warning("learn(%s) not enqueued: %s", attribute, error)
