"""Answers that Label Studio holds no more: marked as deleted, with their history, and their questions open again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler import aside, changes
from labeler.records.schema import Annotation, Queue, Task, Tombstone
from models.clock import now


def reported(session: Session, queue: Queue, label_studio_ids: Sequence[int]) -> set[int]:
    """A webhook of the queue's project says that these annotations were deleted, also ones not seen yet.

    Returns the ids of the attributes whose answers changed. Answers of other queues are not touched, whatever their id.
    """
    if not label_studio_ids:
        return set()
    changes.one_writer(session, queue.attribute_id)
    bury(session, queue.project, label_studio_ids)
    mine = select(Annotation).join(Task, Task.id == Annotation.task_id).where(Task.queue_id == queue.id)
    return withdraw(session, session.scalars(mine.where(Annotation.label_studio_id.in_(label_studio_ids))), "webhook")


def bury(session: Session, project: int, label_studio_ids: Sequence[int]) -> None:
    """Remember for a while that these annotations are deleted: news of their creation may still be on the way."""
    for number in label_studio_ids:
        known = session.get(Tombstone, (project, number))
        if known is None:
            session.add(Tombstone(project=project, label_studio_id=number, deleted_at=now()))
        else:
            known.deleted_at = now()


def is_buried(session: Session, project: int, label_studio_id: int, asked_at: datetime | None) -> bool:
    """Whether news of an annotation is older than its deletion. What Label Studio shows when asked later
    (``asked_at``; None for a webhook, whose age nobody knows) is true, and the deletion is forgotten.
    """
    grave = session.get(Tombstone, (project, label_studio_id))
    if grave is None:
        return False
    if asked_at is None or asked_at <= grave.deleted_at:
        return True
    session.delete(grave)
    return False


def withdraw(session: Session, gone: Iterable[Annotation], via: str) -> set[int]:
    """Mark answers as deleted; the ids of the attributes whose answers changed. Idempotent."""
    touched: set[int] = set()
    for known in list(gone):
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
    """A task whose last answer was deleted is served again by Label Studio; one that is gone there is not."""
    others = select(Annotation.id).where(
        Annotation.task_id == gone.task_id, Annotation.deleted_at.is_(None), Annotation.id != gone.id
    )
    if gone.task_id and session.scalar(others.limit(1)) is None:
        task = session.get_one(Task, gone.task_id)
        task.state = "open" if task.label_studio_task is not None else "retired"


def missing(
    session: Session, queue: Queue, label_studio_task: int, present: Sequence[int], asked_at: datetime
) -> list[Annotation]:
    """The answers that the records have from a task of the queue's project and that Label Studio holds no more.

    One received after ``asked_at`` (when Label Studio was asked) is newer than that answer and not missing.
    """
    held = session.scalars(
        select(Annotation)
        .join(Task, Task.id == Annotation.task_id)
        .where(
            Task.queue_id == queue.id,
            Annotation.label_studio_task == label_studio_task,
            aside.held(),
            Annotation.received_at < asked_at,
        )
    )
    return [one for one in held if one.label_studio_id is None or one.label_studio_id not in set(present)]
