"""Answers to images that a person chose in Explore or a gallery: all of them one class, stored as a page of images.

Asked with the purpose of a chosen image (docs/decisions/0002), never as an audit: it neither trains where its title is
reserved, nor measures by this answer. What waits in the person's own queue is left there, whatever it waits as, so that
what is left out tells no audit from the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion, ingest
from attune.labeler.answers.reading_order import asked_pages_now
from attune.labeler.label_studio import answering
from attune.labeler.label_studio.answering import GivenPage
from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.labelling import own_queue
from attune.labeler.labelling.kept_connection import label_studio
from attune.labeler.labelling.take_answers import REVISED, STORED, check_value, outcomes
from attune.labeler.labelling.take_pages import store_pages
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import asking, chosen_pages, grids
from attune.labeler.queues.grids import NewPage
from attune.labeler.queues.pinned import MOST
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.records.schema import (
    Annotation,
    Asset,
    Attribute,
    Expert,
    Grid,
    GridAnswer,
    GridPage,
    Pick,
    Queue,
    Task,
)
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, ServiceDown
from attune.models.files.cell_ids import normalise
from attune.models.labels.answers import SKIP, UNSURE

PATIENCE_SECONDS = 3  # for another request of the same person's, which may last: the browser asks again
ANSWERED, WAITING, ABSENT = "answered", "waiting", "absent"  # why an image of a batch got no answer
STORING = "storing"  # what became of a batch: another one is being stored, so the browser sends this one again soon


@dataclass(frozen=True)
class Chosen:
    """One batch as the browser sends it: the images ``asset_ids`` are all ``value``, a class or unsure.

    ``once`` (a UUID) names this sending for good, ``batch`` (a UUID) the batch, which ``undo`` takes back; ``age``:
    seconds since it was given.
    """

    once: UUID
    batch: UUID
    value: str = ""
    asset_ids: Sequence[str] = ()
    undo: bool = False
    age: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: ``state`` as of any answer or ``STORING``, how many images have its answer now, and which
    were left out, by reason: the person had answered them, they wait in their queue, or they are not in the pool."""

    state: str
    stored: int = 0
    left: dict[str, list[str]] = field(default_factory=dict)


def take(settings: Settings, viewer: Viewer, name: str, revision: int, batches: Sequence[Chosen]) -> dict[str, Outcome]:
    """Store the viewer's ``batches`` for revision ``revision``; once -> what became of it. To repeat one changes
    nothing.

    One request at a time for one person and question: the same batch may come again while the first still runs. One
    that waits is let go of soon, as it holds a thread that everybody's pages need. Raises UnknownAttribute,
    AccessError, DataError for a value that is no answer to the question or for too many images,
    LabelStudioUnreachable, LabelStudioRefused: then nothing was stored that may not be sent again.
    """
    asked_at = now()  # before the question is read, so that a page of an older one is never newer than its revision
    with reading(settings) as session:
        one, _, expert = own_queue.find(session, viewer, name)
        if not all(batch.undo for batch in batches):
            asking.check_own(session, one, expert)
    if one.revision != revision:
        return {str(batch.once): Outcome(REVISED) for batch in batches}
    for batch in batches:
        _check(batch, one)
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(settings, f"chosen:{one.id}:{expert.id}", PATIENCE_SECONDS, STORING))
        except ServiceDown:
            return {str(batch.once): Outcome(STORING) for batch in batches}
        return {str(batch.once): _take(settings, one, expert, batch, asked_at) for batch in batches}


def _check(batch: Chosen, one: Attribute) -> None:
    if len(batch.asset_ids) > MOST:
        raise DataError(f"{len(batch.asset_ids)} images chosen. Choose at most {MOST}, answer them, then choose more.")
    if not batch.undo:
        if batch.value == SKIP:
            raise DataError("Chosen images cannot be skipped. Clear the choice instead.")
        check_value(batch.value, one)


def _take(settings: Settings, one: Attribute, expert: Expert, batch: Chosen, asked_at: datetime) -> Outcome:
    keys = chosen_pages.keys(one.id, expert.id, batch.batch, MOST)
    with reading(settings) as session:
        made = _pages(session, keys)
        wanted, left = ([], {}) if batch.undo else _wanted(session, one, expert, batch, made)
    if not made and not wanted:
        return Outcome(STORED, 0, left)
    ls = label_studio(settings)
    grid = grids.ensure(settings, ls, one, expert)
    # A page ticks one class; where the person is unsure of all images, which class it would tick says nothing.
    ticked = batch.value if batch.value in one.classes else one.classes[0]
    free = iter(key for key in keys if key not in {page.key for page in made})
    for start in range(0, len(wanted), chosen_pages.PAGE):
        part = wanted[start : start + chosen_pages.PAGE]
        made.append(grids.add(settings, ls, grid, NewPage(one.question, ticked, None, part, asked_at, next(free))))
    return Outcome(*_send(settings, one, grid, expert, batch, made), left)


def _send(
    settings: Settings, one: Attribute, grid: Grid, expert: Expert, batch: Chosen, pages: Sequence[GridPage]
) -> tuple[str, int]:
    """Answer ``pages`` as ``batch`` says; what became of it, and how many of their images have its answer now."""
    asked = asked_pages_now(settings, grid, [page.id for page in pages])
    kept = answering.send(label_studio(settings), expert.email, [_given(batch, page) for page in pages])
    if store_pages(settings, grid, expert, [row for row in kept if not row.refused], asked):
        ingest.ask_to_learn(settings, one.name)
    states = set(outcomes(kept).values())
    state = STORED if states <= {STORED} else sorted(states - {STORED})[0]
    with reading(settings) as session:
        rows = select(func.count()).select_from(Annotation).join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
        mine = GridAnswer.page_id.in_([page.id for page in pages]), exclusion.kept_in_label_studio()
        return state, session.scalar(rows.where(*mine)) or 0


def _given(batch: Chosen, page: GridPage) -> GivenPage:
    images = frozenset(int(key) for key in page.asset_pks)
    said = Ticks(frozenset(), images) if batch.value == UNSURE else Ticks(images)
    once = str(uuid5(batch.once, page.key))
    # No time of a look: nobody looked at these images one by one, and the pace of pages is of pages.
    assert page.label_studio_task is not None
    return GivenPage(once, page.label_studio_task, page.key, None if batch.undo else said, 0.0, batch.age)


def _pages(session: Session, keys: Sequence[str]) -> list[GridPage]:
    """The batch's pages that are there already, as it was sent before."""
    there = select(GridPage).where(GridPage.key.in_(keys), GridPage.label_studio_task.is_not(None))
    return list(session.scalars(there.order_by(GridPage.id)))


def _wanted(
    session: Session, one: Attribute, expert: Expert, batch: Chosen, made: Sequence[GridPage]
) -> tuple[list[int], dict[str, list[str]]]:
    """Keys of the assets still to be put on a page, in the order chosen; and those that are left out, by reason."""
    names = list(dict.fromkeys(normalise(name) for name in batch.asset_ids))
    rows = select(Asset.asset_id, Asset.id).where(Asset.asset_id.in_(names), Asset.removed_at.is_(None))
    there = dict(session.execute(rows).all())
    held = {int(key) for page in made for key in page.asset_pks}
    fresh = [there[name] for name in names if name in there and there[name] not in held]
    answered = _answered(session, one, expert, fresh)
    waiting = _waiting(session, one, expert, fresh) - answered
    left = {
        ANSWERED: [name for name in names if there.get(name) in answered],
        WAITING: [name for name in names if there.get(name) in waiting],
        ABSENT: [name for name in names if name not in there],
    }
    free = [key for key in fresh if key not in answered | waiting]
    return free, {reason: found for reason, found in left.items() if found}


def _answered(session: Session, one: Attribute, expert: Expert, keys: Sequence[int]) -> set[int]:
    """Of ``keys`` those that the expert answered, also where an owner excluded the answer: that is not undone here."""
    mine = (Annotation.attribute_id == one.id, Annotation.expert_id == expert.id, Annotation.asset_pk.in_(keys))
    answers = select(Annotation.asset_pk).where(*mine, exclusion.kept_in_label_studio())
    tasks = select(Task.asset_pk).join(Queue, Queue.id == Task.queue_id)
    own = (Queue.attribute_id == one.id, Queue.expert_id == expert.id, Task.asset_pk.in_(keys))
    return {*session.scalars(answers), *session.scalars(tasks.where(*own, Task.state == "answered"))}


def _waiting(session: Session, one: Attribute, expert: Expert, keys: Sequence[int]) -> set[int]:
    """Of ``keys`` those that wait for the expert: in the queue, on a page, or chosen for the next order."""
    own = (Queue.attribute_id == one.id, Queue.expert_id == expert.id, Task.asset_pk.in_(keys))
    tasks = select(Task.asset_pk).join(Queue, Queue.id == Task.queue_id).where(*own, Task.state == "open")
    mine = (Pick.attribute_id == one.id, Pick.expert_id == expert.id, Pick.asset_pk.in_(keys))
    grid = grids.find_grid(session, one.id, expert.id)
    pages = grids.open_pages(session, grid.id) if grid is not None else []
    on_pages = {int(key) for page in pages for key in page.asset_pks} & set(keys)
    return {*session.scalars(tasks), *session.scalars(select(Pick.asset_pk).where(*mine)), *on_pages}
