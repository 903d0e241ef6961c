"""Images that a person chooses for the experts' queues: written down at once, asked with the next order; what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import change, ingest
from attune.labeler.assets.active_pool import PoolView
from attune.labeler.attributes import attributes
from attune.labeler.people import experts
from attune.labeler.queues import asking, chosen_pages, queues
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Pick, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, RecordsError
from attune.models.files.cell_ids import normalise
from attune.models.labels.answers import SECOND_OPINION
from attune.models.text import plural, without_controls

MOST = 500  # images in one selection
MOST_OWN = 100  # that one expert has chosen for the own queue of a question, and not answered yet
LONGEST_WHY = 200
PURPOSE = "seed"


@dataclass(frozen=True)
class Sent:
    """What became of a selection, counted in images: put into a queue, asked already, not in the pool (any more)."""

    attribute: str
    queued: int
    asked_before: int
    gone: int
    experts: Sequence[str]
    each: Sequence[int] = ()  # by expert, how many came into the queue

    def sentence(self) -> str:
        """As people read it."""
        parts = [f"{self.queued} queued for {', '.join(self.experts)}"]
        if len(set(self.each)) > 1:
            shares = (f"{count} for {name}" for name, count in zip(self.experts, self.each, strict=True))
            parts = [f"{self.queued} queued: {', '.join(shares)} (no expert gets an image twice)"]
        if self.asked_before:
            parts.append(
                f"{self.asked_before} {'was' if self.asked_before == 1 else 'were'} already in a queue or answered"
            )
        if self.gone:
            parts.append(f"{self.gone} {'is' if self.gone == 1 else 'are'} not in the pool")
        return ", ".join(parts) + "."


@dataclass(frozen=True)
class Picked:
    """An image that a person chose for a queue, not answered there yet; ``reason`` as its expert reads it later."""

    queue: int
    row: int
    reason: str
    at: datetime
    purpose: str = PURPOSE


def send(
    settings: Settings,
    attribute: str,
    asset_ids: Sequence[str],
    who: str,
    expert: str | None = None,
    why: str = "",
    purpose: str = PURPOSE,
) -> Sent:
    """Put images at the head of everyone's queue for ``attribute``, or of one ``expert``'s (an e-mail address).

    No one is asked twice: an image that an expert has answered, or that was chosen for the same queue before, is only
    counted. ``purpose`` is what the answers will be kept under. Asks for the next order. Raises UnknownAttribute,
    UnknownExpert, DataError for none or too many images, and for more than `MOST_OWN` that wait where ``who`` is the
    ``expert``; RecordsError where no one answers the attribute.
    """
    requested = list(dict.fromkeys(normalise(asset_id) for asset_id in asset_ids))
    if not 1 <= len(requested) <= MOST:
        raise DataError(f"{len(requested)} images chosen. Choose 1 to {MOST} images.")
    with writing(settings) as session:
        row = attributes.find(session, attribute)
        people = _people(session, row, expert)
        here = (Asset.asset_id.in_(requested), Asset.removed_at.is_(None))
        keys = dict(session.execute(select(Asset.asset_id, Asset.id).where(*here)).all())
        fresh: set[int] = set()
        each = []
        columns = {"who": who, "why": without_controls(why[:LONGEST_WHY]), "purpose": purpose}
        for person in people:
            new = {*keys.values()} - _had(session, row.id, person.id, {*keys.values()})
            if expert is not None and person.email == who:
                _refuse_too_many(session, row, person, len(new))
            fresh |= new
            each.append(len(new))
            for key in (keys[name] for name in requested if keys.get(name) in new):
                pick = Pick(attribute_id=row.id, expert_id=person.id, asset_pk=key, created_at=now(), **columns)
                session.add(pick)
        if fresh:
            change.count(session, row.id)
    if fresh:
        ingest.ask_to_learn(settings, attribute)
    names, unknown = [one.name for one in people], len(requested) - len(keys)
    return Sent(attribute, len(fresh), len(keys) - len(fresh), unknown, names, each)


def own_room(settings: Settings, name: str, asset_ids: Sequence[str], email: str) -> tuple[list[str], int]:
    """Those of ``asset_ids`` that were never in the expert's own queue, and how many of the own choice it takes now.

    Raises UnknownAttribute, UnknownExpert.
    """
    with reading(settings) as session:
        row, person = attributes.find(session, name), experts.find(session, email)
        here = (Asset.asset_id.in_(asset_ids), Asset.removed_at.is_(None))
        keys = dict(session.execute(select(Asset.asset_id, Asset.id).where(*here)).all())
        had = _had(session, row.id, person.id, {*keys.values()})
        room = MOST_OWN - _own_waiting(session, row, person)
    return [one for one in asset_ids if one in keys and keys[one] not in had], max(0, room)


def _own_waiting(session: Session, attribute: Attribute, person: Expert) -> int:
    """How many images of the own choice an expert has not answered yet."""
    answered = select(Annotation.id).where(
        Annotation.attribute_id == Pick.attribute_id,
        Annotation.asset_pk == Pick.asset_pk,
        Annotation.expert_id == Pick.expert_id,
    )
    mine = (Pick.attribute_id == attribute.id, Pick.expert_id == person.id, Pick.who == person.email)
    return session.scalar(select(func.count()).select_from(Pick).where(*mine, ~answered.exists())) or 0


def _refuse_too_many(session: Session, attribute: Attribute, person: Expert, new: int) -> None:
    """Raise DataError where an expert's own queue would hold too much of the own choice: little else would be asked."""
    waiting = _own_waiting(session, attribute, person)
    if waiting + new > MOST_OWN:
        raise DataError(
            f"You chose {plural(new, 'new image')} for your own queue, where {plural(waiting, 'image')} of your choice "
            f"still {'waits' if waiting == 1 else 'wait'}. At most {MOST_OWN} can wait. Choose fewer images, or answer "
            "some first."
        )


def _people(session: Session, attribute: Attribute, expert: str | None) -> list[Expert]:
    """Whose queues are meant: those open, and those that the next order opens."""
    open_ones = select(Queue.expert_id).where(Queue.attribute_id == attribute.id, is_asking())
    having = select(Expert).where(Expert.id.in_(open_ones), Expert.removed_at.is_(None)).order_by(Expert.name)
    answering = [*session.scalars(having), *queues.experts_without_queue(session, attribute)]
    if expert is not None:
        one = experts.find(session, expert)
        answering = [person for person in answering if person.id == one.id]
    if not answering:
        asking.check_stopped(session, attribute, expert)
        whose, email = expert or "No expert", expert or "EMAIL"
        raise RecordsError(
            f"{whose} has {'no' if expert else 'a'} queue for {attribute.name}. Add one: "
            f"`attune expert add {email} --attribute {attribute.name}`"
        )
    return answering


def _had(session: Session, attribute_id: int, expert_id: int, keys: set[int]) -> set[int]:
    """Of ``keys``, the assets that the expert has answered or that were chosen for this queue before.

    Also where the answer was excluded since: Label Studio serves none of them again.
    """
    mine = (Annotation.attribute_id == attribute_id) & (Annotation.expert_id == expert_id)
    answered = select(Annotation.asset_pk).where(mine, Annotation.deleted_at.is_(None), Annotation.asset_pk.in_(keys))
    earlier = (
        select(Task.asset_pk)
        .join(Queue, Queue.id == Task.queue_id)
        .where(Queue.attribute_id == attribute_id, Queue.expert_id == expert_id, Queue.closed_at.is_(None))
        .where(Task.state == "answered", Task.asset_pk.in_(keys))
    )
    before = (Pick.attribute_id == attribute_id) & (Pick.expert_id == expert_id) & Pick.asset_pk.in_(keys)
    return {
        *session.scalars(answered),
        *session.scalars(earlier),
        *session.scalars(select(Pick.asset_pk).where(before)),
    }


def own_picks(session: Session, attribute_id: int) -> frozenset[tuple[str, str]]:
    """Pairs (asset id, e-mail address): the images that experts chose for their own queue, or answered by choice.

    Also those that they answered or took back since.
    """
    rows = (
        select(Asset.asset_id, Expert.email)
        .join(Pick, Pick.asset_pk == Asset.id)
        .join(Expert, Expert.id == Pick.expert_id)
        .where(Pick.attribute_id == attribute_id, Pick.who == Expert.email)
    )
    chosen = chosen_pages.assets(attribute_id).subquery()
    at_once = (
        select(Asset.asset_id, Expert.email)
        .select_from(chosen)
        .join(Asset, Asset.id == chosen.c.asset)
        .join(Expert, Expert.id == chosen.c.expert)
    )
    pairs = [*session.execute(rows), *session.execute(at_once)]
    return frozenset((asset_id, email) for asset_id, email in pairs)


def waiting_picks(session: Session, attribute_id: int, view: PoolView) -> tuple[Picked, ...]:
    """The chosen images that their experts have not answered, oldest first.

    One whose answer was excluded waits no more: Label Studio has it as answered, and asks no one twice.
    """
    answered = select(Annotation.id).where(
        Annotation.attribute_id == attribute_id,
        Annotation.asset_pk == Pick.asset_pk,
        Annotation.expert_id == Pick.expert_id,
        Annotation.deleted_at.is_(None),
    )
    had = select(Task.id).where(Task.queue_id == Queue.id, Task.asset_pk == Pick.asset_pk, Task.state == "answered")
    mine = (Queue.attribute_id == Pick.attribute_id) & (Queue.expert_id == Pick.expert_id) & is_asking()
    rows: Sequence[Any] = session.execute(
        select(Pick, Queue.id, Asset.asset_id)
        .join(Queue, mine)
        .join(Asset, Asset.id == Pick.asset_pk)
        .where(Pick.attribute_id == attribute_id, Asset.removed_at.is_(None), ~answered.exists(), ~had.exists())
        .order_by(Pick.id)
    ).all()
    places = view.pool.positions(asset_id for _, _, asset_id in rows)
    return tuple(
        Picked(queue, int(place), reason_of(pick), pick.created_at, pick.purpose)
        for place, (pick, queue, _) in zip(places, rows, strict=True)
        if place >= 0
    )


def reason_of(pick: Pick) -> str:
    """Why a chosen image was asked."""
    if pick.purpose == SECOND_OPINION:
        return f"{pick.who} asked for another answer on this image."
    return f"Chosen by {pick.who}{f' among the images found by {pick.why}' if pick.why else ''}."
