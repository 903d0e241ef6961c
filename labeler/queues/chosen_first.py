"""Images chosen for a question before anyone is asked: kept with the question, and first in the queues that open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.queues import pinned
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError

log = logging.getLogger("attune.learn")
KEY = "chosen_first"  # in `attribute.settings`


@dataclass(frozen=True)
class Kept:
    """The ``images`` that ``who`` chose; ``experts`` still to be asked first (addresses), none: whoever comes."""

    images: Sequence[str]
    who: str
    experts: Sequence[str] = ()

    @classmethod
    def of(cls, attribute: Attribute) -> Kept | None:
        """What waits with ``attribute``; None where nothing does."""
        held: dict[str, Any] | None = attribute.settings.get(KEY)
        return cls(**held) if held else None


def keep(settings: Settings, name: str, kept: Kept) -> None:
    """Let the images wait until the experts have a queue. Raises UnknownAttribute."""
    with writing(settings) as session:
        _write(_locked(session, name), kept)


def put_with(question: Attribute, kept: Kept) -> None:
    """Let the images wait with a question that is being made, in its transaction: a kill after it loses none."""
    _write(question, kept)


def drop(settings: Settings, name: str) -> None:
    """Nothing waits any more: all was put into the queues. Raises UnknownAttribute."""
    with writing(settings) as session:
        _write(_locked(session, name), None)


def hand_out(settings: Settings, name: str) -> None:
    """Put the images that wait into the queues that have opened; done twice, it ends the same.

    Of an expert's own choice only so many as `pinned.MOST_OWN` allows: the others wait for a later round, as all do
    where a queue cannot take them now. Raises UnknownAttribute.
    """
    with reading(settings) as session:
        row = attributes.find(session, name)
        kept = Kept.of(row)
        having = select(Expert.email).join(Queue, Queue.expert_id == Expert.id)
        having = having.where(Queue.attribute_id == row.id, is_asking(), Expert.removed_at.is_(None))
        opened = set(session.scalars(having)) if kept else set()
    if kept is None:
        return
    due = sorted(opened.intersection(kept.experts) if kept.experts else opened)
    waiting = {email for email in due if not _sent(settings, name, kept, email)}
    if due:
        _done(settings, name, kept, [email for email in [*kept.experts, *due] if email not in due or email in waiting])


def _sent(settings: Settings, name: str, kept: Kept, email: str) -> bool:
    """Whether the expert's queue now has all the images; False where some wait on."""
    try:
        fresh, room = list(kept.images[: pinned.MOST]), pinned.MOST
        if email == kept.who:
            fresh, room = pinned.own_room(settings, name, fresh, email)
        if fresh[:room]:
            pinned.send(settings, name, fresh[:room], kept.who, email)
    except AttuneError as error:  # a queue that was stopped since: the others are asked, and the round goes on
        log.warning("%s: the chosen images of %s wait on: %s", name, email, error)
        return False
    return len(fresh) <= room


def _done(settings: Settings, name: str, kept: Kept, left: Sequence[str]) -> None:
    """Keep the images for ``left`` alone; nothing where others were chosen meanwhile, which the next round sends."""
    with writing(settings) as session:
        row = _locked(session, name)
        if Kept.of(row) == kept:
            _write(row, Kept(kept.images, kept.who, list(dict.fromkeys(left))) if left else None)


def _locked(session: Session, name: str) -> Attribute:
    """The attribute, with its settings as they are now: nobody else changes them before this transaction ends."""
    row = attributes.find(session, name)
    session.refresh(row, with_for_update=True)
    return row


def _write(row: Attribute, kept: Kept | None) -> None:
    others = {key: value for key, value in row.settings.items() if key != KEY}
    row.settings = others | ({KEY: asdict(kept)} if kept else {})
