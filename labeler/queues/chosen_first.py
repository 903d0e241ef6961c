"""Images chosen for a question before anyone is asked: kept with the question, and first in the queues that open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.queues import pinned
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings

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
        row = attributes.find(session, name)
        row.settings = row.settings | {KEY: asdict(kept)}


def hand_out(settings: Settings, name: str) -> None:
    """Put the images that wait into the queues that have opened; done twice, it ends the same."""
    with reading(settings) as session:
        row = attributes.find(session, name)
        kept = Kept.of(row)
        having = select(Expert.email).join(Queue, Queue.expert_id == Expert.id)
        having = having.where(Queue.attribute_id == row.id, is_asking(), Expert.removed_at.is_(None))
        opened = set(session.scalars(having)) if kept else set()
    if kept is None:
        return
    due = sorted(opened.intersection(kept.experts) if kept.experts else opened)
    for email in due:
        most = pinned.MOST_OWN if email == kept.who else pinned.MOST
        pinned.send(settings, name, kept.images[:most], kept.who, email)
    if due:
        _done(settings, name, due)


def _done(settings: Settings, name: str, due: Sequence[str]) -> None:
    with writing(settings) as session:
        row = attributes.find(session, name)
        kept = Kept.of(row)
        left = [email for email in kept.experts if email not in due] if kept else []
        others = {key: value for key, value in row.settings.items() if key != KEY}
        row.settings = others | ({KEY: asdict(Kept(kept.images, kept.who, left))} if kept and left else {})
