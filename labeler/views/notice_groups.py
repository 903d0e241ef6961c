"""The notices that a person may read, together by question and kind, the newest group first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.notices.notices import may_read, unread_by
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Attribute, Notice
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.notices import NoticeRow, notice_row

PAGE = 20
MOST = 20  # notices of one group that a page holds; the older ones are counted
OPEN = 1  # of them, so many stand open


@dataclass(frozen=True)
class NoticeGroup:
    """Notices of one ``kind`` about one ``question``, whose attribute is ``name`` (empty: about none), newest first;
    ``total`` with those that are not among ``rows``."""

    kind: str
    question: str
    rows: Sequence[NoticeRow]
    total: int
    name: str = ""

    @property
    def first(self) -> Sequence[NoticeRow]:
        """What stands open."""
        return self.rows[:OPEN]

    @property
    def older(self) -> Sequence[NoticeRow]:
        """What is folded up."""
        return self.rows[OPEN:]

    @property
    def not_listed(self) -> int:
        """How many are too old for the page."""
        return self.total - len(self.rows)


def groups(settings: Settings, viewer: Viewer, page: int = 1) -> Page[NoticeGroup]:
    """What ``viewer`` may read."""
    with reading(settings) as session:
        newest = select(func.max(Notice.id).label("newest")).where(may_read(viewer))
        newest = newest.group_by(Notice.attribute_id, Notice.kind).order_by(func.max(Notice.id).desc())
        heads = page_of(session, newest, page, PAGE)
        asked = {one.id: one for one in session.execute(select(Attribute.id, Attribute.question, Attribute.name))}
        found = _by_group(session, viewer, heads.items)

    def group(newest_id: int) -> NoticeGroup:
        notices, total = found[newest_id]
        newest_notice = notices[0][0]
        rows = [notice_row(notice, is_unread, viewer) for notice, is_unread in notices]
        about = asked.get(newest_notice.attribute_id or 0)
        return NoticeGroup(
            newest_notice.kind, about.question if about else "", rows, total, about.name if about else ""
        )

    return heads.map(group)


def _by_group(
    session: Session, viewer: Viewer, newest: Sequence[int]
) -> dict[int, tuple[list[tuple[Notice, bool]], int]]:
    """The id of a group's newest notice -> its newest notices, each with whether it is unread, and how many it has."""
    group: tuple[Any, ...] = (Notice.attribute_id, Notice.kind)
    ranked = (
        select(
            Notice.id,
            func.max(Notice.id).over(partition_by=group).label("head"),
            func.row_number().over(partition_by=group, order_by=Notice.id.desc()).label("place"),
            func.count().over(partition_by=group).label("total"),
        )
        .where(may_read(viewer))
        .subquery()
    )
    rows = session.execute(
        select(Notice, ranked.c.head, ranked.c.total, unread_by(viewer))
        .join(ranked, ranked.c.id == Notice.id)
        .where(ranked.c.head.in_(newest), ranked.c.place <= MOST)
        .order_by(Notice.id.desc())
    )
    found: dict[int, tuple[list[tuple[Notice, bool]], int]] = {}
    for notice, head, total, is_unread in rows:
        found.setdefault(head, ([], total))[0].append((notice, bool(is_unread)))
    return found
