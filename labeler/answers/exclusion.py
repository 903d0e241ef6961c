"""Answers that an owner excluded: what their author does with them is kept, and counts once they are taken back."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from attune.labeler.answers import change, counting
from attune.labeler.attributes import revisions
from attune.labeler.records.schema import Annotation, AnnotationEvent, Expert
from attune.models.clock import now

SET_ASIDE, TAKEN_BACK = "set aside", "taken back"  # kinds of events
BY_OWNER = "leaver"  # the path, in an answer's history, of what an owner set aside or took back


def is_excluded(session: Session, annotation: Annotation) -> bool:
    """Whether an answer does not count because an owner set it aside, and for nothing since."""
    return annotation.deleted_at is not None and revisions.last_event(session, annotation) == SET_ASIDE


def was_excluded(session: Session, annotation: Annotation) -> bool:
    """Whether an answer was excluded, and not taken back, before what happened to it last."""
    kinds = select(AnnotationEvent.kind).where(
        AnnotationEvent.annotation_id == annotation.id, AnnotationEvent.kind.in_((SET_ASIDE, TAKEN_BACK))
    )
    return session.scalar(kinds.order_by(AnnotationEvent.id.desc()).limit(1)) == SET_ASIDE


@cache
def excluded_answers() -> ColumnElement[bool]:
    """`is_excluded` as a condition on ``Annotation``."""
    # A sync asks for each task, and to put this together takes longer than the answer.
    later = aliased(AnnotationEvent)
    newest = select(func.max(later.id)).where(later.annotation_id == Annotation.id).correlate(Annotation)
    event = exists().where(
        AnnotationEvent.annotation_id == Annotation.id,
        AnnotationEvent.kind == SET_ASIDE,
        AnnotationEvent.id == newest.scalar_subquery(),
    )
    return Annotation.deleted_at.is_not(None) & event


def set_late_aside(session: Session, row: Annotation, via: str) -> bool:
    """Exclude an answer that was given before an owner excluded its author's answers, and is read only now; whether.

    Not where the records held no answer of the author's to the question then: nothing there tells of the exclusion.
    """
    mine = (Annotation.attribute_id == row.attribute_id, Annotation.expert_id == row.expert_id)
    last = (
        select(AnnotationEvent.kind, AnnotationEvent.received_at)
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(*mine, AnnotationEvent.via == BY_OWNER, AnnotationEvent.kind.in_((SET_ASIDE, TAKEN_BACK)))
        .order_by(AnnotationEvent.id.desc())
        .limit(1)
    )
    event = session.execute(last).one_or_none()
    if event is None or event.kind != SET_ASIDE or row.updated_at > event.received_at:
        return False
    row.deleted_at = now()
    change.remember(session, row, SET_ASIDE, via)
    return True


@cache
def kept_in_label_studio() -> ColumnElement[bool]:
    """What Label Studio should still hold: the answers that count, and those excluded."""
    return Annotation.deleted_at.is_(None) | excluded_answers()


def by_expert(session: Session, attribute_id: int) -> list[tuple[str, str, int]]:
    """Name, address and number of answers (skips not counted) of each expert with answers excluded."""
    answer = counting.answers([attribute_id], which=excluded_answers())
    rows = session.execute(
        select(Expert.name, Expert.email, func.count())
        .join(answer, answer.c.expert_id == Expert.id)
        .group_by(Expert.id, Expert.name, Expert.email)
        .order_by(Expert.name)
    )
    return [(name, email, count) for name, email, count in rows]


def correct(session: Session, annotation: Annotation, value: str, updated_at: datetime, via: str) -> None:
    """Keep what its author made of an excluded answer: it is still not counted. ``value`` as read today."""
    annotation.value, annotation.updated_at, annotation.deleted_at = value, updated_at, now()
    change.remember(session, annotation, SET_ASIDE, via)


def withdraw(session: Session, annotation: Annotation, via: str) -> None:
    """An answer that is aside was deleted by its author: taking back finds it no more."""
    annotation.deleted_at = now()
    change.remember(session, annotation, "deleted", via)
