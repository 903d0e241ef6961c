"""Which queues ask: those of experts who answer the question and that no owner has stopped."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.models.errors import AccessError, RecordsError

LEAST_READY = 12  # open tasks of a queue: more than anyone answers before the next run


def is_asking() -> ColumnElement[bool]:
    """The condition on ``Queue`` that new images may be put into it."""
    return Queue.closed_at.is_(None) & Queue.stopped_at.is_(None)


def check_stopped(session: Session, attribute: Attribute, email: str | None = None) -> None:
    """Raise RecordsError where the queue of ``email``, or every queue of the attribute, is stopped."""
    rows = select(Expert.email, Queue.stopped_at).join(Queue, Queue.expert_id == Expert.id)
    rows = rows.where(Queue.attribute_id == attribute.id, Queue.closed_at.is_(None), Expert.removed_at.is_(None))
    if email is not None:
        rows = rows.where(Expert.email == email.strip().casefold())
    queues = session.execute(rows).all()
    if queues and all(stopped is not None for _, stopped in queues):
        whose = f"The queue of {queues[0][0]} for {attribute.name}" if email else f"Every queue for {attribute.name}"
        raise RecordsError(
            f"{whose} is stopped, so no images can be asked there. To start it: "
            f"`attune queue start {attribute.name} {queues[0][0]}`"
        )


def check_own(session: Session, attribute: Attribute, person: Expert) -> None:
    """Raise AccessError where an owner has stopped the queue of ``person``, who asks for images to answer."""
    mine = (Queue.attribute_id == attribute.id, Queue.expert_id == person.id, Queue.stopped_at.is_not(None))
    if session.scalar(select(Queue.id).where(*mine)) is not None:
        raise AccessError(
            f"An owner has paused {attribute.name} for you. Your answers are kept. New images come when the owner "
            "starts your queue again."
        )
