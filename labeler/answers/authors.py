"""Who gave an answer: an expert of ours, by address where Label Studio says it; anyone else is no one's answer."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Expert, User

log = logging.getLogger("attune.ingest")


def access_ended(session: Session, expert: Expert) -> datetime | None:
    """When ``expert`` ceased to answer: was removed, or the login was disabled; None for whoever may answer."""
    disabled = session.scalar(select(User.disabled_at).where(User.email == expert.email))
    return min((at for at in (expert.removed_at, disabled) if at is not None), default=None)


def answered_after_the_end(session: Session, expert: Expert, at: datetime) -> bool:
    """Whether what ``expert`` said at ``at`` came after the end: Label Studio may hear of it some time later."""
    ended = access_ended(session, expert)
    return ended is not None and at > ended


def expert_of(session: Session, user: int | None, address: str = "") -> Expert | None:
    """The expert who has the user id ``user`` in Label Studio, or None for anyone who is no expert.

    A Label Studio that was begun again gives the ids to other people: where it also says the address, that decides, and
    the id is put right. An address that no expert has decides against everyone.
    """
    if user is None:
        return None
    if not address:
        return session.scalar(select(Expert).where(Expert.label_studio_user == user))
    expert = session.scalar(select(Expert).where(Expert.email == address))
    if expert is not None and expert.label_studio_user != user:
        log.warning("%s is user %d in Label Studio now; it was %s", address, user, expert.label_studio_user)
        session.execute(update(Expert).where(Expert.label_studio_user == user).values(label_studio_user=None))
        expert.label_studio_user = user
        session.flush()
    return expert
