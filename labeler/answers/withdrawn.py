"""Answers that Label Studio holds no more: marked as deleted, with their history, and their questions open again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import change, exclusion
from attune.labeler.records.schema import Annotation, Queue, Task
from attune.models.clock import now


def withdraw(session: Session, gone: Iterable[Annotation], via: str) -> set[int]:
    """Mark answers as deleted; the ids of the attributes whose answers changed. Idempotent."""
    touched: set[int] = set()
    for known in list(gone):
        if exclusion.is_aside(session, known):
            exclusion.withdraw(session, known, via)
            _reopen(session, known)
        if known.deleted_at is not None:
            continue
        known.deleted_at = now()
        change.remember(session, known, "deleted", via)
        _reopen(session, known)
        change.count(session, known.attribute_id)
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
            exclusion.held(),
            Annotation.received_at < asked_at,
        )
    )
    return [one for one in held if one.label_studio_id is None or one.label_studio_id not in set(present)]
