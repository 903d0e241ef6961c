"""Answers that an owner set aside: what their author does with them is kept, and counts once they are taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from labeler import changes, revisions
from labeler.records.schema import Annotation
from models.clock import now

SET_ASIDE, TAKEN_BACK = "set aside", "taken back"  # kinds of events


def is_aside(session: Session, annotation: Annotation) -> bool:
    """Whether an answer does not count because an owner set it aside, and for nothing since."""
    return annotation.deleted_at is not None and revisions.last_event(session, annotation) == SET_ASIDE


def correct(session: Session, annotation: Annotation, value: str, updated_at: datetime, via: str) -> None:
    """Keep what its author made of an answer that is aside: it goes on counting nowhere. ``value`` as read today."""
    annotation.value, annotation.updated_at, annotation.deleted_at = value, updated_at, now()
    changes.remember(session, annotation, SET_ASIDE, via)


def withdraw(session: Session, annotation: Annotation, via: str) -> None:
    """An answer that is aside was deleted by its author: taking back finds it no more."""
    annotation.deleted_at = now()
    changes.remember(session, annotation, "deleted", via)
