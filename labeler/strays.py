"""Answers in Label Studio that count nowhere: nobody of ours gave them, or they cannot be read. Kept, and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from labeler import attributes
from labeler.records.schema import Attribute, Expert, Stray
from labeler.records.session import reading, writing
from labeler.seen import EMPTY, OTHER_IMAGE, UNKNOWN_CLASS, UNREADABLE, Seen
from labeler.settings import Settings
from models.clock import now
from models.errors import DataError

UNKNOWN_AUTHOR, UNKNOWN_IMAGE = "unknown author", "unknown image"
RENAMED = "class_names"  # in an attribute's settings: class as Label Studio calls it -> class
TODO = {
    UNKNOWN_AUTHOR: "Only an expert's own answers count. The question was put to the expert again. Delete the other "
    "answer in Label Studio, or make its author an expert: attune expert add EMAIL",
    UNKNOWN_CLASS: "Somebody renamed a class in Label Studio; the page has its own classes again. Say what these "
    "answers mean: attune labels read-as NAME 'CLASS IN LABEL STUDIO' CLASS",
    EMPTY: "Nothing was chosen, so the question was put to the expert again. Nothing to do.",
    UNREADABLE: "More or less than one class was chosen. The question was put to the expert again. Nothing to do.",
    UNKNOWN_IMAGE: "The task shows an image that is not in the pool. Add it: attune assets add",
    OTHER_IMAGE: "Somebody edited the task, so that it shows another image than it names. The question was put to the "
    "expert again. Delete the edited task in Label Studio.",
}


@dataclass(frozen=True)
class Left:
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


def keep(session: Session, attribute_id: int, expert_id: int, project: int, seen: Seen, reason: str) -> bool:
    """Keep a stray answer; whether it is new. Idempotent."""
    known = _find(session, project, seen.label_studio_id)
    row = known or Stray(project=project, label_studio_id=seen.label_studio_id)
    row.attribute_id, row.expert_id, row.label_studio_task = attribute_id, expert_id, seen.label_studio_task
    row.asset_id, row.value, row.reason = seen.asset_id[:255], seen.value[:255], reason
    row.author = (seen.author or (f"user {seen.completed_by}" if seen.completed_by else "a deleted user"))[:255]
    row.updated_at = seen.updated_at
    if known is None:
        row.seen_at = now()
        session.add(row)
        session.flush()
    return known is None


def settle(session: Session, project: int, label_studio_id: int) -> None:
    """The answer counts now: it is no stray any more."""
    found = _find(session, project, label_studio_id)
    if found is not None:
        session.delete(found)


def forget(session: Session, project: int, label_studio_task: int, present: Sequence[int]) -> None:
    """Drop the strays of a task that Label Studio holds no more; ``present`` are the ids of its annotations."""
    mine = (Stray.project == project, Stray.label_studio_task == label_studio_task)
    session.execute(delete(Stray).where(*mine, Stray.label_studio_id.not_in(list(present))))


def on_task(session: Session, project: int, label_studio_task: int) -> int:
    """How many answers on a task count nowhere."""
    mine = (Stray.project == project, Stray.label_studio_task == label_studio_task)
    return int(session.scalar(select(func.count()).select_from(Stray).where(*mine)) or 0)


def listed(session: Session, attribute: str | None = None) -> list[Left]:
    """The stray answers of one attribute, or of all, newest first. Raises UnknownAttribute."""
    rows = (
        select(Stray, Attribute.name, Expert.email)
        .join(Attribute, Attribute.id == Stray.attribute_id)
        .join(Expert, Expert.id == Stray.expert_id)
        .order_by(Stray.id.desc())
    )
    if attribute is not None:
        rows = rows.where(Stray.attribute_id == attributes.find(session, attribute).id)
    return [
        Left(name, email, one.author, one.asset_id, one.value, one.reason, one.seen_at)
        for one, name, email in session.execute(rows)
    ]


def counts(session: Session) -> dict[tuple[int, str], int]:
    """How many stray answers there are, by attribute's id and reason."""
    rows = select(Stray.attribute_id, Stray.reason, func.count()).group_by(Stray.attribute_id, Stray.reason)
    return {(attribute, reason): count for attribute, reason, count in session.execute(rows)}


def read_as(settings: Settings, attribute: str, called: str, means: str) -> int:
    """From now on read the class that Label Studio calls ``called`` as ``means``; how many strays wait for it.

    The next whole sync brings them in. Raises UnknownAttribute, and DataError for a class that is not there, or a
    ``called`` that is one itself.
    """
    with writing(settings) as session:
        found = attributes.find(session, attribute)
        classes = ", ".join(found.classes)
        if means not in found.classes:
            raise DataError(f"{means!r} is not a class of {attribute}; expected one of {classes}.")
        if called in found.classes:
            raise DataError(f"{called!r} is a class of {attribute} itself; expected a name that it does not have.")
        found.settings = found.settings | {RENAMED: renamed(found) | {called: means}}
        mine = (Stray.attribute_id == found.id, Stray.reason == UNKNOWN_CLASS, Stray.value == called)
        return int(session.scalar(select(func.count()).select_from(Stray).where(*mine)) or 0)


def renamed(attribute: Attribute) -> dict[str, str]:
    """Class as Label Studio calls it -> class, as `read_as` was told."""
    return dict(attribute.settings.get(RENAMED, {}))


def of(settings: Settings, attribute: str | None = None) -> list[Left]:
    """`listed`, in a session of its own."""
    with reading(settings) as session:
        return listed(session, attribute)


def _find(session: Session, project: int, label_studio_id: int) -> Stray | None:
    return session.scalar(select(Stray).where(Stray.project == project, Stray.label_studio_id == label_studio_id))
