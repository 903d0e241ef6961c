"""Notices: what happened that someone should know, told once each, to those whom it concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, false, select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Notice, NoticeRead
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import RecordsError

SETTLED, GATE, STALLED, EMPTY, DRIFT = "settled", "gates passed", "stalled", "empty queue", "drift"
DISAGREE = "disagreement"
LEFT_OUT = "answers left out"
PUBLISHED, ROLLED_BACK, RETIRED, FAILED, WAITING = "published", "rolled back", "retired", "job failed", "waiting"
COMMENT, LOOK = "comment", "look again"
WEBHOOK, MAIL = "webhook", "mail"
FAILED_STATE = "failed"  # of a way that was given up
TITLE = 250


@dataclass(frozen=True)
class News:
    """A notice to be: ``key`` names the event, so that it is told once however often it is seen.

    ``title`` goes out by webhook too and holds no person, no image and no error; ``text`` is for the console and for
    mail. ``expert`` makes it that expert's alone, ``user`` that login's: such a notice never tells what a model thinks.
    """

    key: str
    kind: str
    title: str
    text: str
    link: str
    attribute: int | None = None
    expert: int | None = None
    user: int | None = None


def page(name: str) -> str:
    """The attribute's page."""
    return f"/attributes/{name}"


def channels(settings: Settings, own: bool) -> list[str]:
    """Where a notice goes beside the console: owners' by both ways that are set, a person's own by mail alone."""
    webhook = [WEBHOOK] if settings.notify_webhook_url and not own else []
    return [*webhook, *([MAIL] if settings.smtp_url else [])]


def record_news(settings: Settings, news: Iterable[News]) -> int:
    """Record what is not known yet, to be sent by a worker; how many were new."""
    by_key = {news_item.key: news_item for news_item in news}
    if not by_key:
        return 0
    with reading(settings) as session:
        known_keys = set(session.scalars(select(Notice.key).where(Notice.key.in_(list(by_key)))))
    fresh = [news_item for key, news_item in by_key.items() if key not in known_keys]
    if not fresh:
        return 0
    at = now()
    with writing(settings) as session:
        known_keys = set(
            session.scalars(select(Notice.key).where(Notice.key.in_([news_item.key for news_item in fresh])))
        )
        for news_item in fresh:
            if news_item.key not in known_keys:
                session.add(_row(settings, news_item, at))
    return len(fresh)


def _row(settings: Settings, news: News, at: datetime) -> Notice:
    ways = channels(settings, news.expert is not None or news.user is not None)
    return Notice(
        key=news.key, kind=news.kind, attribute_id=news.attribute, expert_id=news.expert, user_id=news.user,
        title=news.title[:TITLE], text=news.text, link=news.link, at=at, due_at=at if ways else None,
        sent={channel: {"state": "waiting", "tries": 0} for channel in ways},
    )  # fmt: skip


def may_read(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on ``Notice`` under which ``viewer`` may read it: one's own, and for managers everyone's news."""
    own: ColumnElement[bool] = false()
    if viewer.expert_id is not None:
        own |= Notice.expert_id == viewer.expert_id
    if viewer.user_id is not None:
        own |= Notice.user_id == viewer.user_id
    return own | (Notice.expert_id.is_(None) & Notice.user_id.is_(None)) if viewer.manages else own


def unread_by(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on ``Notice`` that this login has not marked it as read."""
    seen = exists().where(NoticeRead.notice_id == Notice.id, NoticeRead.user_id == viewer.user_id)
    return ~seen.correlate(Notice)


def mark(settings: Settings, viewer: Viewer, notice: int | None = None) -> int:
    """Mark one notice, or all, as read by this login; how many were unread. Raises RecordsError for no such notice."""
    if viewer.user_id is None:
        return 0
    with writing(settings) as session:
        unread_ids = select(Notice.id).where(may_read(viewer), unread_by(viewer))
        if notice is not None:
            _check(session, viewer, notice)
            unread_ids = unread_ids.where(Notice.id == notice)
        notice_ids = list(session.scalars(unread_ids))
        session.add_all(NoticeRead(notice_id=one, user_id=viewer.user_id, at=now()) for one in notice_ids)
    return len(notice_ids)


def send_again(settings: Settings, viewer: Viewer, notice: int) -> bool:
    """Have a notice that was given up sent once more, by the ways that failed; whether there was any. Idempotent.

    Raises RecordsError for no such notice.
    """
    with writing(settings) as session:
        _check(session, viewer, notice)
        row = session.get_one(Notice, notice, with_for_update=True)
        again = {way for way, outcome in row.sent.items() if outcome["state"] == FAILED_STATE}
        if again:
            fresh = {"state": "waiting", "tries": 0}
            row.sent = {way: fresh if way in again else outcome for way, outcome in row.sent.items()}
            row.due_at = now()
    return bool(again)


def _check(session: Session, viewer: Viewer, notice: int) -> None:
    if session.scalar(select(Notice.id).where(Notice.id == notice, may_read(viewer))) is None:
        raise RecordsError(f"Notice {notice} does not exist, or it is not yours. The page Notices lists your notices.")
