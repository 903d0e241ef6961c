"""A change of an attribute's answers: one writer at a time, a line of history, and a counter that learners watch."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute
from attune.models.clock import now


def one_writer(session: Session, attribute_id: int | None) -> None:
    """Wait until no one else changes the attribute's answers (all attributes' where None).

    On PostgreSQL two paths that tell of one annotation would otherwise both create it, or one create what the other
    says is deleted. The person who changes answers calls this before anything else is locked.
    """
    if attribute_id is not None:
        session.get_one(Attribute, attribute_id, with_for_update=True)
    else:
        session.execute(select(Attribute.id).order_by(Attribute.id).with_for_update()).all()


def remember(session: Session, annotation: Annotation, kind: str, via: str, who: str = "") -> None:
    """Add a line to an answer's history; ``via`` says which path told it: sync, import, leaver; ``who`` did it, where
    that was not its expert (an address, or a user of the machine).

    The same line again, as when an edit is undone by a clock that was set back, is not added twice.
    """
    at = annotation.deleted_at or annotation.updated_at
    same = (AnnotationEvent.annotation_id == annotation.id, AnnotationEvent.kind == kind)
    if session.scalar(select(AnnotationEvent.id).where(*same, AnnotationEvent.updated_at == at)) is not None:
        at = now()
    session.add(
        AnnotationEvent(
            annotation_id=annotation.id,
            kind=kind,
            value=annotation.value,
            updated_at=at,
            via=via,
            who=who,
            received_at=now(),
        )
    )


def count(session: Session, *attribute_ids: int) -> None:
    """Raise the counters: a learner at work goes round again, and the scheduler asks for a round where no one could."""
    session.execute(
        update(Attribute)
        .where(Attribute.id.in_(attribute_ids))
        .values(answers_counter=func.coalesce(Attribute.answers_counter, 0) + 1)
        .execution_options(synchronize_session=False)
    )
