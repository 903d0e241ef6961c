"""The notices that a person may read, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import func, select

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
class Told:
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
        """Whether somebody should do something."""
        return self.kind in URGENT

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return vars(self) | {"at": iso(self.at)}


def notices(settings: Settings, viewer: Viewer, page: int = 1) -> Page[Told]:
    """What ``viewer`` may read."""
    with reading(settings) as session:
        found = page_of(session, select(Notice).where(may_read(viewer)).order_by(Notice.id.desc()), page, PAGE)
        ids = [one.id for one in found.items]
        seen = set(
            session.scalars(
                select(NoticeRead.notice_id).where(NoticeRead.user_id == viewer.user_id, NoticeRead.notice_id.in_(ids))
            )
        )
    return found.map(lambda one: _told(one, one.id not in seen, viewer))


def unread(settings: Settings, viewer: Viewer) -> int:
    """How many the viewer has not read."""
    with reading(settings) as session:
        return session.scalar(select(func.count(Notice.id)).where(may_read(viewer), unread_by(viewer))) or 0


def _told(one: Notice, fresh: bool, viewer: Viewer) -> Told:
    name = f"notice {one.id}"  # older records hold what programs raised
    failed = ((way, held) for way, held in one.sent.items() if held["state"] == "failed")
    lost = [f"{way}: {failures.shown(name, held['error'])}" for way, held in failed]
    undelivered = "; ".join(lost) if viewer.manages else ""
    text = failures.shown(name, one.text)
    return Told(one.id, one.kind, one.title, text, one.link, one.at, fresh, undelivered)
