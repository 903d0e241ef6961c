"""Who gave an answer: an expert of ours, by address where Label Studio says it; anyone else is no one's answer."""

from __future__ import annotations

import logging

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Expert

log = logging.getLogger("attune.ingest")


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
