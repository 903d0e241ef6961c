"""Revisions of an attribute: what each said, and how answers given under an older one read under a newer.

A revision keeps a *reading*: old value -> new value, or None where such an answer holds no longer. A value that it does
not name is read as it is. Readings are applied one after the other, so a chain of renames composes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, AttributeRevision
from attune.models.errors import DataError
from attune.models.labels.answers import SKIP, UNSURE

Reading = Mapping[str, str | None]
ALL, NONE = "all", "none"
REVISED, LAPSED = "revised", "lapsed"  # kinds of events: an answer that reads otherwise now, or holds no longer
# What a revision may change, in the order in which people read it.
FIELDS = ("question", "classes", "definition", "in_scope", "out_of_scope", "positive", "negative", "class_prompts")


@dataclass(frozen=True)
class PastRevision:
    """One revision: its number, what it said (``FIELDS``), why, when, and how it reads the answers of before."""

    number: int
    content: Mapping[str, Any]
    reason: str
    created_at: datetime
    reading: Reading = field(default_factory=dict)

    @property
    def classes(self) -> list[str]:
        """The classes of this revision."""
        return list(self.content["classes"])


def reading(
    before: Sequence[str],
    after: Sequence[str],
    into: Mapping[str, str] | None = None,
    kept_classes: str | Collection[str] = ALL,
) -> dict[str, str | None]:
    """How answers among the classes ``before`` read among ``after``; only what changes is named.

    ``into`` says which class an old one became (a rename, or where a removed one's answers go); a removed class that it
    does not name ends its answers. ``kept_classes``: "all", "none", or the old values (classes, "unsure") whose answers
    hold. Raises DataError, naming the class, where ``into`` or ``kept_classes`` names one that is not there.
    """
    into = into or {}
    for old, target in into.items():
        if old not in before:
            raise DataError(f"answers: {old!r} is not an earlier class. Earlier classes are {', '.join(before)}.")
        if target not in after:
            raise DataError(f"answers: {old!r} cannot become {target!r}. The classes are now {', '.join(after)}.")
    still_valid = _kept(before, kept_classes)
    mapping: dict[str, str | None] = {}
    for old in [*before, UNSURE]:
        stays = old == UNSURE or (old in after and old not in into)
        new: str | None = (old if stays else into.get(old)) if old in still_valid else None
        if new != old:
            mapping[old] = new
    return mapping


def _kept(before: Sequence[str], kept_classes: str | Collection[str]) -> set[str]:
    if kept_classes == ALL:
        return {*before, UNSURE}
    if kept_classes == NONE:
        return set()
    names = [kept_classes] if isinstance(kept_classes, str) else list(kept_classes)
    for name in names:
        if name not in before and name != UNSURE:
            raise DataError(
                f"hold: {name!r} is not an earlier class. Use all, none, or some of {', '.join([*before, UNSURE])}."
            )
    return set(names)


def read(value: str, readings: Sequence[Reading]) -> str | None:
    """What an answer says after some revisions, oldest first; None where it holds no longer. A skip stays a skip."""
    current: str | None = value
    for one in readings:
        if current is None or current == SKIP:
            break
        current = one.get(current, current)
    return current


def composed(first: Reading, second: Reading) -> dict[str, str | None]:
    """The one reading that does what ``first`` and then ``second`` do."""
    values = {*first, *second}
    return {value: new for value in values if (new := read(value, [first, second])) != value}


def history(session: Session, attribute: Attribute) -> list[PastRevision]:
    """Every revision, oldest first, each with its whole content."""
    rows = session.scalars(
        select(AttributeRevision)
        .where(AttributeRevision.attribute_id == attribute.id)
        .order_by(AttributeRevision.revision)
    )
    today = content_of(attribute)
    return [
        PastRevision(
            row.revision,
            today | {key: row.content[key] for key in (*FIELDS, "encoder") if key in row.content},
            row.reason,
            row.created_at,
            row.content.get("reading") or ({} if row.answers_hold else dict.fromkeys([*today["classes"], UNSURE])),
        )
        for row in rows
    ]


def content_of(attribute: Attribute) -> dict[str, Any]:
    """What the attribute says now, by ``FIELDS``."""
    prompts = attribute.prompts or {}
    return {
        "question": attribute.question,
        "classes": list(attribute.classes),
        "definition": attribute.definition,
        "in_scope": list(attribute.in_scope),
        "out_of_scope": list(attribute.out_of_scope),
        "positive": list(prompts.get("positive", [])),
        "negative": list(prompts.get("negative", [])),
        "class_prompts": dict(prompts.get("classes", {})),
    }


def every_class(session: Session, attribute_id: int) -> list[str]:
    """The classes of today and then those of older revisions: what an annotation in Label Studio may still hold."""
    attribute = session.get_one(Attribute, attribute_id)
    if attribute.revision == 1:
        return list(attribute.classes)
    older = [name for revision in reversed(history(session, attribute)) for name in revision.classes]
    return list(dict.fromkeys([*attribute.classes, *older]))


def value_now(session: Session, attribute_id: int, value: str, at: datetime, revision: int | None = None) -> str | None:
    """What ``value``, given at ``at``, says today; None where it holds no longer.

    It is read from the ``revision`` that its page showed on, or from the one of that moment where this is not known. A
    page that was open over a change may still send a class of before: such a value is read from the newest revision
    that had it.
    """
    attribute = session.get_one(Attribute, attribute_id)
    if attribute.revision == 1 or value == SKIP:
        return value
    past = history(session, attribute)
    of_page = (
        (place for place, one in enumerate(past) if one.number <= revision)
        if revision is not None
        else (place for place, one in enumerate(past) if one.created_at <= at)
    )
    start = max(of_page, default=0)
    if value != UNSURE and value not in past[start].classes:
        having = [place for place, one in enumerate(past) if value in one.classes]
        start = max((place for place in having if place < start), default=having[0] if having else start)
    return read(value, [one.reading for one in past[start + 1 :]])


def ended_by_revision(session: Session, annotation: Annotation) -> bool:
    """Whether an answer that does not count was ended by a revision, and by nothing since."""
    return last_event(session, annotation) == LAPSED


def last_event(session: Session, annotation: Annotation) -> str | None:
    """The kind of what happened to an answer last."""
    events = select(AnnotationEvent.kind).where(AnnotationEvent.annotation_id == annotation.id)
    return session.scalar(events.order_by(AnnotationEvent.id.desc()).limit(1))


def incomparable(session: Session, attribute: Attribute, revision: int) -> str | None:
    """Why a probe of ``revision`` cannot be judged by the answers of today; None where it can.

    It can where each of its classes is, under whatever name, still the class at the same place.
    """
    past = history(session, attribute)
    mine = next((past_revision for past_revision in past if past_revision.number == revision), None)
    if mine is None or mine.classes == list(attribute.classes):
        return None
    now_called = [
        read(name, [past_revision.reading for past_revision in past if past_revision.number > revision])
        for name in mine.classes
    ]
    if now_called == list(attribute.classes):
        return None
    return (
        f"its classes are {', '.join(mine.classes)} (revision {revision}), but the classes are now "
        f"{', '.join(attribute.classes)} (revision {attribute.revision})"
    )


def comparable_since(session: Session, attribute: Attribute) -> int:
    """The oldest revision whose probes can be compared with those of today, and all since then."""
    number = attribute.revision
    while number > 1 and incomparable(session, attribute, number - 1) is None:
        number -= 1
    return number


def difference(before: PastRevision, after: PastRevision) -> list[tuple[str, Any, Any]]:
    """What changed between two revisions: (field, before, after), in the order of ``FIELDS``."""
    pairs = ((key, before.content.get(key), after.content.get(key)) for key in (*FIELDS, "encoder"))
    return [(key, old, new) for key, old, new in pairs if old != new]
