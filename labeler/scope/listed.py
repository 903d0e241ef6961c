"""The decisions about groups as a list, for the command and the API; and whose author is no longer here.

Decisions stay when a person goes, as their answers do: named as theirs, and marked. What the definition has of them
stays in it. What waits may still be added, but nobody adds it by default.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, TypedDict

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from attune.labeler.assets.by_key import by_key
from attune.labeler.people.end_access import GONE
from attune.labeler.records.schema import Asset, Attribute, Expert, ScopeDecision, User
from attune.labeler.scope import stored
from attune.models.clock import iso


class DecisionFacts(TypedDict):
    """One person's decision about one group of similar images."""

    who: Annotated[str, "The person's email address."]
    has_left: Annotated[bool, "Whether this person is no longer here. Their decisions stay."]
    decided_at: datetime
    said: Annotated[str, "all, none or ticked."]
    counts: Annotated[list[str], "Images (asset_id) that count."]
    does_not_count: Annotated[list[str], "Images (asset_id) that do not count."]
    note: Annotated[str, "In the person's words, what the images have in common."]
    answers: Annotated[int, "How many answers of the person came with it."]
    about: Annotated[int, "The revision of the question that the person read."]
    revision: Annotated[int | None, "The revision whose examples come from it, or null."]


def listed(session: Session, one: Attribute, *conditions: ColumnElement[bool]) -> list[DecisionFacts]:
    """The decisions about ``one`` that hold, without skips, the oldest first; of images that fulfil ``conditions``."""
    rows = [row for row in stored.decided(session, one.id)[::-1] if row.said != stored.SKIP]
    names = by_key(session, sorted({int(key) for row in rows for key in row.shown}), Asset.asset_id, *conditions)
    gone = who_left(session, rows)
    return [_facts(row, names, row.who in gone) for row in rows]


def who_left(session: Session, rows: Collection[ScopeDecision]) -> set[str]:
    """Those who made ``rows`` and are no longer here: without a login, or with one that is shut, and no expert."""
    people = {row.who for row in rows}
    logins = (User.email.in_(people), User.password_hash != GONE, User.disabled_at.is_(None))
    here = set(session.scalars(select(User.email).where(*logins)))
    closed = set(session.scalars(select(User.email).where(User.email.in_(people))))
    experts = session.scalars(select(Expert.email).where(Expert.email.in_(people), Expert.removed_at.is_(None)))
    return people - here - (set(experts) - closed)


def _facts(row: ScopeDecision, names: dict[int, str], has_left: bool) -> DecisionFacts:
    counts, other = ([names[key] for key in side if key in names] for side in stored.sides(row))
    at: Any = iso(row.decided_at)
    return DecisionFacts(
        who=row.who, has_left=has_left, decided_at=at, said=row.said, counts=counts, does_not_count=other,
        note=row.note, answers=row.answers, about=row.revision, revision=row.written,
    )  # fmt: skip
