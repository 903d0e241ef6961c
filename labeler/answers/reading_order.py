"""When Label Studio was asked, in the records' own order: what came since is newer than what it showed.

A clock cannot say that. One that was set back between the question and an answer made the answer look older than a list
that had been asked for before it: it was taken for deleted, and its image was asked about once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, AnnotationEvent
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now


@dataclass(frozen=True)
class Asked:
    """``at`` by our clock, for marks and ages; ``event`` is the newest line in the history of answers at that moment.

    A line is written after Label Studio showed what it says. So whatever has a line up to ``event`` was known to Label
    Studio when it was asked, even where the line's transaction ended later.
    """

    at: datetime
    event: int


def asked_now(settings: Settings) -> Asked:
    """The moment before a question to Label Studio."""
    with reading(settings) as session:
        return of_now(session)


def of_now(session: Session) -> Asked:
    """As ``asked_now``, in a transaction of the caller's."""
    return Asked(now(), session.scalar(select(func.max(AnnotationEvent.id))) or 0)


def is_newer_than(asked: Asked) -> ColumnElement[bool]:
    """Whether an answer, by its row, has news from after Label Studio was ``asked``."""
    return _news(asked).where(AnnotationEvent.annotation_id == Annotation.id).exists()


def has_news(session: Session, annotation: Annotation, asked: Asked) -> bool:
    """Whether ``annotation`` has news from after Label Studio was ``asked``."""
    mine = _news(asked).where(AnnotationEvent.annotation_id == annotation.id)
    return session.scalar(mine.limit(1)) is not None


def _news(asked: Asked) -> Select[int]:
    return select(AnnotationEvent.id).where(AnnotationEvent.id > asked.event)
