"""An attribute's revisions for the page: the history, newest first, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from attune.labeler.answers import totals
from attune.labeler.attributes import attributes, revisions
from attune.labeler.attributes.revisions import PastRevision
from attune.labeler.people.viewer import Viewer, may_see
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, by_id

LABELS = {
    "question": "Question",
    "classes": "Classes",
    "definition": "Definition",
    "in_scope": "Counts",
    "out_of_scope": "Does not count",
    "positive": "Prompts for the first class",
    "negative": "Prompts for near misses",
    "class_prompts": "Prompts by class",
    "encoder": "Encoder",
}


@dataclass(frozen=True)
class Line:
    """One revision in the list: what changed since the one before, and how it reads the answers of then."""

    number: int
    reason: str
    created_at: datetime
    changed: Sequence[str]
    renamed: Mapping[str, str]
    ended: Sequence[str]
    runs: int


@dataclass(frozen=True)
class Change:
    """One field of two revisions, as lines: those that went, those that came, those that stayed."""

    label: str
    gone: Sequence[str]
    come: Sequence[str]
    same: Sequence[str]


@dataclass(frozen=True)
class Revisions:
    """The page: newest first, and the difference between ``before`` and ``after``."""

    name: str
    question: str
    revision: int
    lines: Sequence[Line]
    before: int
    after: int
    changes: Sequence[Change]


def revisions_of(settings: Settings, name: str, before: int | None = None, after: int | None = None) -> Revisions:
    """The history of ``name``, and what changed between two revisions (the last two by default).

    A number that is no revision gives the nearest one. Raises UnknownAttribute.
    """
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        past = revisions.history(session, attribute)
        counted = select(Run.revision, func.count()).where(Run.attribute_id == attribute.id).group_by(Run.revision)
        runs = dict(session.execute(counted).all())
    by_number = {revision.number: revision for revision in past}
    newest = past[-1].number
    last = min(max(after or newest, 1), newest)
    first = min(max(before or last - 1, 1), newest)
    pairs = zip([None, *past], past, strict=False)
    lines = [_line(old, new, runs.get(new.number, 0)) for old, new in pairs]
    shown_changes = changes(by_number[first], by_number[last])
    return Revisions(name, attribute.question, attribute.revision, lines[::-1], first, last, shown_changes)


def changes(before: PastRevision, after: PastRevision) -> list[Change]:
    """What differs between two revisions, field by field, line by line."""
    change_rows = []
    for key, old, new in revisions.difference(before, after):
        one, two = _lines(old), _lines(new)
        removed, come = [line for line in one if line not in two], [line for line in two if line not in one]
        change_rows.append(
            Change(LABELS[key], removed, come, [line for line in two if line in one] if removed or come else two)
        )
    return change_rows


def _line(before: PastRevision | None, after: PastRevision, runs: int) -> Line:
    changed = [LABELS[key] for key, _, _ in revisions.difference(before, after)] if before else []
    renamed = {old: new for old, new in after.reading.items() if new is not None}
    ended = [old for old, new in after.reading.items() if new is None]
    return Line(after.number, after.reason, after.created_at, changed, renamed, ended, runs)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}: {text}" for name, texts in value.items() for text in texts]
    if isinstance(value, str):
        return [value] if value else []
    return [str(item) for item in value or ()]


def pictures(settings: Settings, viewer: Viewer, texts: Sequence[str]) -> dict[str, PageImage]:
    """The pictures of those texts that are ids of assets which ``viewer`` may see."""
    with reading(settings) as session:
        return by_id(session, texts, may_see(viewer))


def answers_by_value(settings: Settings, name: str) -> dict[str, int]:
    """How many answers of each value count today, skips left out. Raises UnknownAttribute."""
    with reading(settings) as session:
        return totals.by_value(session, attributes.find(session, name).id)
