"""What becomes of a person's answers: they stay, or are set aside with their history kept, and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from labeler import attributes, ingest, people, revisions
from labeler.records.schema import Annotation, AnnotationEvent, Attribute, Expert
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.answers import SKIP
from models.clock import now
from models.errors import UnknownExpert

SET_ASIDE, TAKEN_BACK = "set aside", "taken back"  # kinds of events
VIA = "leaver"


@dataclass(frozen=True)
class Concerned:
    """How many answers (skips not counted) of a person count now, and how many are set aside; by attribute's name."""

    counting: dict[str, int]
    set_aside: dict[str, int]


def concerned(settings: Settings, email: str) -> Concerned:
    """What setting aside, or taking back, would concern. Raises UnknownExpert."""
    with reading(settings) as session:
        expert = _expert(session, email)
        counting = _by_attribute(session, expert, Annotation.deleted_at.is_(None))
        return Concerned(counting, _by_attribute(session, expert, _is_set_aside()))


def set_aside(settings: Settings, email: str, attribute: str | None = None) -> dict[str, int]:
    """Mark the answers of ``email``, to one ``attribute`` or to all, as deleted; how many, by attribute.

    Each attribute concerned is learned anew. Whoever still answers goes on, and later answers count. Idempotent. Label
    Studio keeps its own copy; no sync brings them back. Raises UnknownExpert, UnknownAttribute.
    """
    return _move(settings, email, attribute, Annotation.deleted_at.is_(None), SET_ASIDE)


def take_back(settings: Settings, email: str, attribute: str | None = None) -> dict[str, int]:
    """Let the answers that were set aside count again, as the revisions since then read them; how many, by attribute.

    Idempotent. One whose class is gone meanwhile stays aside. Raises UnknownExpert, UnknownAttribute.
    """
    return _move(settings, email, attribute, _is_set_aside(), TAKEN_BACK)


def _move(
    settings: Settings, email: str, attribute: str | None, which: ColumnElement[bool], kind: str
) -> dict[str, int]:
    at = now()
    with writing(settings) as session:
        expert = _expert(session, email)
        if attribute is not None:
            which = and_(which, Annotation.attribute_id == attributes.find(session, attribute).id)
        moved = list(session.scalars(select(Annotation).where(Annotation.expert_id == expert.id, which)))
        if kind == TAKEN_BACK:
            moved = [one for one in moved if _back(session, one)]
        else:
            for one in moved:
                one.deleted_at = at
        for one in moved:
            session.add(
                AnnotationEvent(
                    annotation_id=one.id, kind=kind, value=one.value, updated_at=at, via=VIA, received_at=at
                )
            )
        touched = {one.attribute_id for one in moved}
        raised = update(Attribute).where(Attribute.id.in_(touched))
        session.execute(raised.values(answers_counter=Attribute.answers_counter + 1))
        names = dict(session.execute(select(Attribute.id, Attribute.name).where(Attribute.id.in_(touched))).all())
    for name in names.values():
        ingest.ask_to_learn(settings, name)
    counted = [names[one.attribute_id] for one in moved if one.value != SKIP]
    return {name: counted.count(name) for name in sorted(set(counted))}


def _back(session: Session, one: Annotation) -> bool:
    """Read an answer as the revisions since it was set aside say; whether it still means something."""
    assert one.deleted_at is not None
    value = revisions.value_now(session, one.attribute_id, one.value, one.deleted_at)
    if value is None:
        return False
    one.value, one.deleted_at = value, None
    return True


def _is_set_aside() -> ColumnElement[bool]:
    """Deleted because it was set aside with others of its author, and by nothing since."""
    later = aliased(AnnotationEvent)
    newest = select(func.max(later.id)).where(later.annotation_id == Annotation.id).correlate(Annotation)
    event = exists().where(
        AnnotationEvent.annotation_id == Annotation.id,
        AnnotationEvent.kind == SET_ASIDE,
        AnnotationEvent.id == newest.scalar_subquery(),
    )
    return Annotation.deleted_at.is_not(None) & event


def _by_attribute(session: Session, expert: Expert, which: ColumnElement[bool]) -> dict[str, int]:
    counted = (
        select(Attribute.name, func.count())
        .join(Annotation, Annotation.attribute_id == Attribute.id)
        .where(Annotation.expert_id == expert.id, which, Annotation.value != SKIP)
        .group_by(Attribute.name)
        .order_by(Attribute.name)
    )
    return dict(session.execute(counted).all())


def _expert(session: Session, email: str) -> Expert:
    """The expert, also one who left."""
    found = session.scalar(select(Expert).where(Expert.email == people.address(email)))
    if found is None:
        raise UnknownExpert(
            f"No expert has or had the address {people.address(email)}. The page People of the console "
            "lists everybody, also who left."
        )
    return found
