"""Answers in Label Studio that are not counted: no one of ours gave them, or they cannot be read. Kept, and named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers.annotation_values import EMPTY, OTHER_IMAGE, UNKNOWN_CLASS, UNREADABLE, ReadAnnotation
from attune.labeler.attributes import attributes, revisions
from attune.labeler.records.schema import Attribute, Expert, Stray
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.labels.answers import SKIP, UNSURE

UNKNOWN_AUTHOR, UNKNOWN_IMAGE, EDITED = "unknown author", "unknown image", "edited by somebody else"
AFTER_END = "given after the person's access ended"
HARMLESS = (EMPTY, UNREADABLE)  # no one can do anything about them, and a better answer replaces them
RENAMED = "class_names"  # in an attribute's settings: class as Label Studio calls it -> class
TODO = {
    UNKNOWN_AUTHOR: "The author is not an expert, so Attune cannot use the answer. Delete the answer in Label "
    "Studio, or add its author: `attune expert add EMAIL`",
    EDITED: "Another person changed the answer in Label Studio. The expert's earlier answer still counts. "
    "Ask the expert to correct it, or change it back.",
    AFTER_END: "The person was removed, or the login was disabled, before this answer. An earlier answer still counts. "
    "Delete the answer in Label Studio. Or, if it should count, let the person in again (`attune user enable EMAIL` or "
    "`attune expert add EMAIL`), then run: `attune sync --all`",
    UNKNOWN_CLASS: "Somebody renamed a class in Label Studio. Attune restored the classes. Map the answers to a "
    "class: `attune labels read-as NAME 'CLASS IN LABEL STUDIO' CLASS`",
    EMPTY: "No class was chosen. Attune may ask about the image again. You do not need to do anything.",
    UNREADABLE: "The answer is not one class. Attune may ask about the image again. You do not need to do anything.",
    UNKNOWN_IMAGE: "The task shows an image that is not in the pool. Add the image (`attune assets add PATH`), then "
    "run: `attune sync --all`",
    OTHER_IMAGE: "Somebody edited the task: its image and its asset_id do not match. Delete the task in Label Studio. "
    "Attune may ask about the image again.",
}


@dataclass(frozen=True)
class UncountedAnswer:
    """A stray answer as people see it: whose queue it is in, who gave it, on what, what it says and why it is out."""

    attribute: str
    expert: str
    author: str
    asset_id: str
    value: str
    reason: str
    seen_at: datetime

    def to_dict(self) -> dict[str, str]:
        """For JSON, with what to do about it."""
        names = ("attribute", "expert", "author", "asset_id", "value", "reason")
        return {name: getattr(self, name) for name in names} | {"todo": TODO[self.reason]}


def record_uncounted(
    session: Session, attribute_id: int, expert_id: int, project: int, annotation: ReadAnnotation, reason: str
) -> bool:
    """Keep an uncounted answer; whether it is new. Idempotent."""
    existing = _find(session, project, annotation.label_studio_id)
    row = existing or Stray(project=project, label_studio_id=annotation.label_studio_id)
    row.attribute_id, row.expert_id, row.label_studio_task = attribute_id, expert_id, annotation.label_studio_task
    row.asset_id, row.value, row.reason = annotation.asset_id[:255], annotation.value[:255], reason
    who = annotation.author if reason != EDITED else ""
    number = annotation.edited_by if reason == EDITED else annotation.completed_by
    row.author = (who or (f"user {number}" if number else "a deleted user"))[:255]
    row.updated_at = annotation.updated_at
    if existing is None:
        row.seen_at = now()
        session.add(row)
        session.flush()
    return existing is None


def remove_counted(session: Session, project: int, label_studio_id: int) -> None:
    """The answer counts now: remove it from the uncounted ones."""
    found = _find(session, project, label_studio_id)
    if found is not None:
        session.delete(found)


def remove_absent(session: Session, project: int, label_studio_task: int, present: Sequence[int]) -> None:
    """Drop the strays of a task that Label Studio holds no more; ``present`` are the ids of its annotations."""
    mine = (Stray.project == project, Stray.label_studio_task == label_studio_task)
    session.execute(delete(Stray).where(*mine, Stray.label_studio_id.not_in(list(present))))


def remove_replaced(session: Session, project: int, asset_id: str) -> None:
    """An expert has answered about this image: what could not be read about it before is forgotten."""
    mine = (Stray.project == project, Stray.asset_id == asset_id, Stray.reason.in_(HARMLESS))
    session.execute(delete(Stray).where(*mine))


def remove_vanished(session: Session, project: int, there: Collection[int]) -> None:
    """Drop the strays of a project whose task is gone from Label Studio; ``there`` are the ids of its tasks."""
    for stray in session.scalars(select(Stray).where(Stray.project == project)).all():
        if stray.label_studio_task not in there:
            session.delete(stray)


def on_task(session: Session, project: int, label_studio_task: int) -> int:
    """How many answers on a task are not counted."""
    mine = (Stray.project == project, Stray.label_studio_task == label_studio_task)
    return int(session.scalar(select(func.count()).select_from(Stray).where(*mine)) or 0)


def list_uncounted(session: Session, attribute: str | None = None) -> list[UncountedAnswer]:
    """The uncounted answers of one attribute, or of all, newest first. Raises UnknownAttribute."""
    rows = (
        select(Stray, Attribute.name, Expert.email)
        .join(Attribute, Attribute.id == Stray.attribute_id)
        .join(Expert, Expert.id == Stray.expert_id)
        .order_by(Stray.id.desc())
    )
    if attribute is not None:
        rows = rows.where(Stray.attribute_id == attributes.find(session, attribute).id)
    return [
        UncountedAnswer(name, email, one.author, one.asset_id, one.value, one.reason, one.seen_at)
        for one, name, email in session.execute(rows)
    ]


def counts(session: Session) -> dict[tuple[int, str], int]:
    """How many uncounted answers there are, by attribute's id and reason."""
    rows = select(Stray.attribute_id, Stray.reason, func.count()).group_by(Stray.attribute_id, Stray.reason)
    return {(attribute, reason): count for attribute, reason, count in session.execute(rows)}


def read_as(settings: Settings, attribute: str, called: str, means: str) -> int:
    """From now on read the class that Label Studio calls ``called`` as ``means``; how many strays wait for it.

    The next whole sync brings them in. Raises UnknownAttribute, and DataError for a class that is not there, or a
    ``called`` that is one itself.
    """
    with writing(settings) as session:
        row = attributes.find(session, attribute)
        classes, every = ", ".join(row.classes), {*revisions.every_class(session, row.id), UNSURE, SKIP}
        if means not in row.classes:
            raise DataError(f"{means!r} is not a class of {attribute}. Expected one of {classes}.")
        if called in every:
            raise DataError(
                f"{called!r} already has a meaning in {attribute}: it is a class (now or before), {UNSURE} or "
                f"{SKIP}. Give a name that only Label Studio has. To list such answers: `attune labels left-out "
                f"{attribute}`"
            )
        row.settings = row.settings | {RENAMED: renamed(row) | {called: means}}
        mine = (Stray.attribute_id == row.id, Stray.reason == UNKNOWN_CLASS, Stray.value == called)
        return int(session.scalar(select(func.count()).select_from(Stray).where(*mine)) or 0)


def renamed(attribute: Attribute) -> dict[str, str]:
    """Class as Label Studio calls it -> class, as `read_as` was told."""
    return dict(attribute.settings.get(RENAMED, {}))


def uncounted_answers(settings: Settings, attribute: str | None = None) -> list[UncountedAnswer]:
    """`list_uncounted`, in a session of its own."""
    with reading(settings) as session:
        return list_uncounted(session, attribute)


def _find(session: Session, project: int, label_studio_id: int) -> Stray | None:
    return session.scalar(select(Stray).where(Stray.project == project, Stray.label_studio_id == label_studio_id))
