"""The experts: what each answers, and how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from labeler.records.schema import Annotation, Attribute, Expert, Queue, User
from labeler.records.session import reading
from labeler.settings import Settings
from labeler.views.paging import Page, page_of
from models.answers import SKIP

PAGE = 50


@dataclass(frozen=True)
class Member:
    """One expert: ``attributes`` with an open queue, answers in all, the time of the last one."""

    name: str
    email: str
    role: str | None
    attributes: Sequence[str]
    answers: int
    last_at: datetime | None
    removed_at: datetime | None


def people(settings: Settings, page: int = 1) -> Page[Member]:
    """The experts, those who left last."""
    with reading(settings) as session:
        query = select(Expert).order_by(Expert.removed_at.is_not(None), Expert.name, Expert.id)
        found = page_of(session, query, page, PAGE)
        ids = [one.id for one in found.items]
        queues, given = _attributes(session, ids), _given(session, ids)
        roles = dict(
            session.execute(
                select(User.expert_id, User.role).where(User.expert_id.in_(ids), User.disabled_at.is_(None))
            ).all()
        )

        def member(one: Expert) -> Member:
            count, last = given.get(one.id, (0, None))
            return Member(one.name, one.email, roles.get(one.id), queues[one.id], count, last, one.removed_at)

        return found.map(member)


def _attributes(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(Queue.expert_id, Attribute.name)
        .join(Attribute, Attribute.id == Queue.attribute_id)
        .where(Queue.expert_id.in_(ids), Queue.closed_at.is_(None), Attribute.retired_at.is_(None))
        .order_by(Attribute.name)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for expert, name in rows:
        found[expert].append(name)
    return found


def _given(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    rows = session.execute(
        select(Annotation.expert_id, func.count(), func.max(Annotation.answered_at))
        .where(Annotation.expert_id.in_(ids), Annotation.deleted_at.is_(None), Annotation.value != SKIP)
        .group_by(Annotation.expert_id)
    )
    return {expert: (count, last) for expert, count, last in rows}
