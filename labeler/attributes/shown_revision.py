"""Which revision of a question an expert's labelling page showed: its answers belong to that one.

A revision counts at once, but a queue's page follows when its project in Label Studio was changed, and a page that is
open keeps its question. Each queue keeps since when its project asks which revision, in ``queues.shown``: pairs of a
revision and a moment (ISO 8601), oldest first. A queue without any is one of before this was kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.records.schema import Annotation, Attribute, AttributeRevision, Queue
from attune.models.clock import iso, now, parse

LONGEST_LOOK = 10_000_000.0  # seconds, as the guard takes them


def note(session: Session, queue_id: int, revision: int) -> None:
    """Keep that the queue's project asks ``revision`` from now on; once."""
    queue = session.get_one(Queue, queue_id, with_for_update=True, populate_existing=True)
    if not queue.shown or queue.shown[-1][0] != revision:
        queue.shown = [*queue.shown, [revision, iso(now())]]


def begin(session: Session, attribute: Attribute) -> None:
    """Before a revision is made: keep for the queues of before this was kept that they show the one that ends."""
    mine = (AttributeRevision.attribute_id == attribute.id, AttributeRevision.revision == attribute.revision)
    since = session.scalar(select(AttributeRevision.created_at).where(*mine)) or attribute.created_at
    for queue in session.scalars(select(Queue).where(Queue.attribute_id == attribute.id)):
        if not queue.shown:
            queue.shown = [[attribute.revision, iso(since)]]


def at(queue: Queue, moment: datetime) -> int | None:
    """The revision that a page opened at ``moment`` showed; None where it is not known."""
    asked = [revision for revision, since in queue.shown if parse(since) <= moment]
    return int(asked[-1]) if asked else None


def opened(annotation: ReadAnnotation, existing: Annotation | None) -> datetime:
    """When the page of an answer was opened, by the time that Label Studio counted on it.

    It adds up the times of all corrections, so for a later state of an ``existing`` answer those of before go off.
    """
    seconds = annotation.lead_seconds or 0.0
    before = 0.0
    if existing is not None and existing.updated_at < annotation.updated_at:
        before = (existing.lead_seconds if existing.total_seconds is None else existing.total_seconds) or 0.0
    if before <= seconds:
        seconds -= before
    return annotation.updated_at - timedelta(seconds=min(max(seconds, 0.0), LONGEST_LOOK))
