"""Answers that Label Studio holds no more: marked as deleted, with their history, and their questions open again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import change, exclusion, reading_order
from attune.labeler.answers.reading_order import Asked
from attune.labeler.records.schema import Annotation, Queue, Task
from attune.models.clock import now


def withdraw(session: Session, withdrawn: Iterable[Annotation], via: str) -> set[int]:
    """Mark answers as deleted; the ids of the attributes whose answers changed. Idempotent."""
    touched: set[int] = set()
    for annotation in list(withdrawn):
        if exclusion.is_excluded(session, annotation):
            exclusion.withdraw(session, annotation, via)
            _reopen(session, annotation)
        if annotation.deleted_at is not None:
            continue
        annotation.deleted_at = now()
        change.remember(session, annotation, "deleted", via)
        _reopen(session, annotation)
        change.count(session, annotation.attribute_id)
        touched.add(annotation.attribute_id)
    return touched


def _reopen(session: Session, annotation: Annotation) -> None:
    """A task whose last answer was deleted is served again by Label Studio; one that is gone there is not."""
    others = select(Annotation.id).where(
        Annotation.task_id == annotation.task_id, Annotation.deleted_at.is_(None), Annotation.id != annotation.id
    )
    if annotation.task_id and session.scalar(others.limit(1)) is None:
        task = session.get_one(Task, annotation.task_id)
        task.state = "open" if task.label_studio_task is not None else "retired"


def missing(
    session: Session, queue: Queue, label_studio_task: int, present: Sequence[int], asked: Asked
) -> list[Annotation]:
    """The answers that the records have from a task of the queue's project and that Label Studio holds no more.

    One with news from after Label Studio was ``asked`` is newer than what it showed, and not missing.
    """
    candidates = session.scalars(
        select(Annotation)
        .join(Task, Task.id == Annotation.task_id)
        .where(
            Task.queue_id == queue.id,
            Annotation.label_studio_task == label_studio_task,
            exclusion.kept_in_label_studio(),
            ~reading_order.is_newer_than(asked),
        )
    )
    return [
        annotation
        for annotation in candidates
        if annotation.label_studio_id is None or annotation.label_studio_id not in set(present)
    ]
