"""The notices that a person may read, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from sqlalchemy import Select, func, select

from attune.labeler.jobs import failures
from attune.labeler.notices.notices import may_read, unread_by
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Notice, NoticeRead
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import iso

PAGE = 30
URGENT = frozenset({"drift", "job failed", "stalled", "empty queue"})


@dataclass(frozen=True)
class NoticeRow:
    """One notice as its reader sees it; ``undelivered`` says why it could not be sent beside the console."""

    id: int
    kind: str
    title: str
    text: str
    link: Annotated[str, "A path in the console."]
    at: datetime
    unread: bool
    undelivered: Annotated[str, "Why the email or webhook failed."]

    @property
    def urgent(self) -> bool:
        """Whether someone should do something."""
        return self.kind in URGENT

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return vars(self) | {"at": iso(self.at)}


def notices(settings: Settings, viewer: Viewer, page: int = 1) -> Page[NoticeRow]:
    """What ``viewer`` may read."""
    with reading(settings) as session:
        notice_page = page_of(session, select(Notice).where(may_read(viewer)).order_by(Notice.id.desc()), page, PAGE)
        ids = [one.id for one in notice_page.items]
        read_ids = set(
            session.scalars(
                select(NoticeRead.notice_id).where(NoticeRead.user_id == viewer.user_id, NoticeRead.notice_id.in_(ids))
            )
        )
    return notice_page.map(lambda one: notice_row(one, one.id not in read_ids, viewer))


def unread(settings: Settings, viewer: Viewer) -> int:
    """How many the viewer has not read."""
    with reading(settings) as session:
        return session.scalar(_unread(viewer)) or 0


@lru_cache(maxsize=100)
def _unread(viewer: Viewer) -> Select[int]:
    """What each page asks: to put it together takes as long as to ask it."""
    return select(func.count(Notice.id)).where(may_read(viewer), unread_by(viewer))


def notice_row(notice: Notice, fresh: bool, viewer: Viewer) -> NoticeRow:
    """``notice`` as ``viewer`` reads it; ``fresh``: not read yet."""
    name = f"notice {notice.id}"  # older records hold what programs raised
    failed = ((channel, outcome) for channel, outcome in notice.sent.items() if outcome["state"] == "failed")
    lost = [f"{channel}: {failures.shown(name, outcome['error'])}" for channel, outcome in failed]
    undelivered = "; ".join(lost) if viewer.manages else ""
    text = failures.shown(name, notice.text)
    return NoticeRow(notice.id, notice.kind, notice.title, text, notice.link, notice.at, fresh, undelivered)
