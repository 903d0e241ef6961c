"""What becomes of a person's answers: they stay, or are excluded with their history kept, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import change, counting, exclusion, ingest, totals
from attune.labeler.answers.exclusion import SET_ASIDE, TAKEN_BACK
from attune.labeler.attributes import attributes, revisions
from attune.labeler.people import users
from attune.labeler.people.users import May
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import UnknownExpert
from attune.models.labels.answers import SKIP
from attune.models.text import plural

VIA = exclusion.BY_OWNER


@dataclass(frozen=True)
class Move:
    """That ``who`` (an address, or a user of the machine; empty: not known) last excluded or included a person's
    answers to an attribute, and when."""

    attribute: str
    excluded: bool
    at: datetime
    who: str


def last_moves(session: Session, expert_id: int) -> list[Move]:
    """By attribute, the last time that an owner excluded or included answers of the expert; newest first."""
    mine = (Annotation.expert_id == expert_id, AnnotationEvent.via == VIA)
    newest = (
        select(func.max(AnnotationEvent.id))
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(*mine, AnnotationEvent.kind.in_((SET_ASIDE, TAKEN_BACK)))
        .group_by(Annotation.attribute_id)
    )
    rows = session.execute(
        select(Attribute.name, AnnotationEvent.kind, AnnotationEvent.received_at, AnnotationEvent.who)
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .join(Attribute, Attribute.id == Annotation.attribute_id)
        .where(AnnotationEvent.id.in_(newest))
        .order_by(AnnotationEvent.id.desc())
    )
    return [Move(name, kind == SET_ASIDE, at, who) for name, kind, at, who in rows]


@dataclass(frozen=True)
class AffectedAnswers:
    """How many answers (skips not counted) of a person count now, and how many are excluded; by attribute's name."""

    counting: dict[str, int]
    set_aside: dict[str, int]


def affected_answers(settings: Settings, email: str) -> AffectedAnswers:
    """What excluding, or taking back, would concern. Raises UnknownExpert."""
    with reading(settings) as session:
        expert = _expert(session, email)
        counted = totals.by_attribute(session, expert.id)
        return AffectedAnswers(counted, counting.by_attribute(session, expert.id, exclusion.excluded_answers()))


def exclude(
    settings: Settings, email: str, attribute: str | None = None, may: May = users.anybody, who: str = ""
) -> dict[str, int]:
    """Mark the answers of ``email``, to one ``attribute`` or to all, as deleted; how many, by attribute. The history
    keeps ``who`` asked for it.

    Each attribute concerned is learned anew. Whoever still answers goes on, and later answers count; corrections of
    those excluded are kept for when they are taken back. Idempotent. Label Studio keeps its own copy; no sync brings
    them back. Raises UnknownExpert, UnknownAttribute.
    """
    return _move(settings, email, attribute, Annotation.deleted_at.is_(None), SET_ASIDE, may, who)


def include(
    settings: Settings, email: str, attribute: str | None = None, may: May = users.anybody, who: str = ""
) -> dict[str, int]:
    """Let the answers that were excluded count again, as the revisions since then read them; how many, by attribute.

    Idempotent. One whose class is gone in the meantime stays excluded. Raises UnknownExpert, UnknownAttribute.
    """
    return _move(settings, email, attribute, exclusion.excluded_answers(), TAKEN_BACK, may, who)


def summary_text(moved: Mapping[str, int], dropped: bool) -> str:
    """What excluding, or taking back, has done, in one sentence."""
    if not moved:
        return f"There are no answers to {'exclude' if dropped else 'include'}."
    by_name = ", ".join(f"{name} {count}" for name, count in moved.items())
    done = "excluded" if dropped else "included again"
    return f"{plural(sum(moved.values()), 'answer', 'are')} {done} ({by_name})."


def _move(
    settings: Settings, email: str, attribute: str | None, which: ColumnElement[bool], kind: str, may: May, who: str
) -> dict[str, int]:
    at = now()
    with writing(settings) as session:
        users.check_role(session, email, may)  # before the attributes are locked, as a removal has it
        expert = _expert(session, email)
        only = None if attribute is None else attributes.find(session, attribute).id
        change.one_writer(session, only)
        if only is not None:
            which = and_(which, Annotation.attribute_id == only)
        moved = list(session.scalars(select(Annotation).where(Annotation.expert_id == expert.id, which)))
        if kind == TAKEN_BACK:
            moved = [annotation for annotation in moved if _include_one(session, annotation)]
        else:
            for annotation in moved:
                annotation.deleted_at = at
        for annotation in moved:
            change.remember(session, annotation, kind, VIA, who)
        touched = {annotation.attribute_id for annotation in moved}
        change.count(session, *touched)
        names = dict(session.execute(select(Attribute.id, Attribute.name).where(Attribute.id.in_(touched))).all())
    for name in names.values():
        ingest.ask_to_learn(settings, name)
    counted = [names[annotation.attribute_id] for annotation in counting.newest(moved) if annotation.value != SKIP]
    return {name: counted.count(name) for name in sorted(set(counted))}


def _include_one(session: Session, annotation: Annotation) -> bool:
    """Read an answer as the revisions since it was excluded say; whether it still means something."""
    assert annotation.deleted_at is not None
    value = revisions.value_now(session, annotation.attribute_id, annotation.value, annotation.deleted_at)
    if value is None:
        return False
    annotation.value, annotation.deleted_at = value, None
    return True


def _expert(session: Session, email: str) -> Expert:
    """The expert, also one who left."""
    expert = session.scalar(select(Expert).where(Expert.email == users.address(email)))
    if expert is None:
        raise UnknownExpert(
            f"No expert has the email address {users.address(email)}. The console's page People lists everyone, "
            "also removed experts."
        )
    return expert
