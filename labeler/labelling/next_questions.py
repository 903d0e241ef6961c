"""An expert's next questions, in the order of the last round: a few at a time, so that images load ahead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current
from attune.labeler.labelling import own_queue, page_advice
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Queue, Task
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.labels.answers import SKIP

AHEAD = 12  # questions that a page knows of; it loads the images of the first few
BACK = 20  # answers that a page just opened can go back to
RECENT = 5 * BACK  # annotations among which they are, unless most of these were deleted


@dataclass(frozen=True)
class Question:
    """One image put to the expert. Nothing here tells why it is asked, nor what the model says of it."""

    key: str
    asset_id: str
    width: int
    height: int


@dataclass(frozen=True)
class Past:
    """An answer that was given: the way back to it."""

    question: Question
    value: str


@dataclass(frozen=True)
class Upcoming:
    """What the page gets at a time: questions, how many are left in the queue, answers since midnight UTC.

    ``past`` are the last answers, newest last; only where the page holds no question yet. ``advice``: why to go on with
    pages of images, or empty (`page_advice`). ``paused``: an owner stopped the queue.
    """

    revision: int
    questions: Sequence[Question]
    left: int
    today: int
    past: Sequence[Past] = ()
    advice: str = ""
    paused: bool = False


def ahead(settings: Settings, viewer: Viewer, name: str, held: Collection[str] = ()) -> Upcoming:
    """The next questions of the viewer's own queue, less those of the keys ``held``, which the page has already.

    What is handed out is noted, so that no round takes it away under the expert's hands. Raises UnknownAttribute,
    AccessError.
    """
    with writing(settings) as session:
        one, queue, expert = own_queue.find(session, viewer, name)
        counted = today(session, one.id, expert.id)
        if queue.stopped_at is not None:
            return Upcoming(one.revision, (), 0, counted, () if held else _past(session, queue), paused=True)
        known = set(held)
        rows = session.execute(_open(queue).limit(AHEAD + len(held))).all()
        fresh = [(task, asset) for task, asset in rows if task.key not in known][:AHEAD]
        shown = [task.id for task, _ in rows if task.key in known] + [task.id for task, _ in fresh]
        session.execute(update(Task).where(Task.id.in_(shown)).values(offered_at=now()))
        return Upcoming(
            one.revision,
            [_question(task, asset) for task, asset in fresh],
            left(session, queue),
            counted,
            () if held else _past(session, queue),
            page_advice.switch_to(session, one, queue, page_advice.SINGLE),
        )


def _question(task: Task, asset: Asset) -> Question:
    return Question(task.key, asset.asset_id, asset.width, asset.height)


def _past(session: Session, queue: Queue) -> list[Past]:
    """The last answers, newest last. Looked for among the newest annotations first: an expert may have thousands."""
    mine = (Annotation.attribute_id == queue.attribute_id, Annotation.expert_id == queue.expert_id)
    newest = select(Annotation.asset_pk, Annotation.answered_at).where(*mine).order_by(Annotation.answered_at.desc())
    recent = session.execute(newest.limit(RECENT)).all()
    rows = _last_answers(session, queue, [asset for asset, _ in recent])
    if len(recent) == RECENT and (len(rows) < BACK or rows[-1].answered_at <= recent[-1].answered_at):
        rows = _last_answers(session, queue, None)
    return [Past(_question(row.Task, row.Asset), row.value) for row in rows][::-1]


def _last_answers(session: Session, queue: Queue, assets: Sequence[int] | None) -> Sequence[Any]:
    answer = current([queue.attribute_id], [queue.expert_id], assets=assets)
    rows = (
        select(Task, Asset, Annotation.value, Annotation.answered_at)
        .join(answer, answer.c.id == Annotation.id)
        .join(Task, Task.id == Annotation.task_id)
        .join(Asset, Asset.id == Task.asset_pk)
        .where(Task.queue_id == queue.id, Task.label_studio_task.is_not(None), Asset.removed_at.is_(None))
        .order_by(Annotation.answered_at.desc(), Annotation.id.desc())
        .limit(BACK)
    )
    return session.execute(rows).all()


def _open(queue: Queue) -> Select[Task, Asset]:
    """A queue's open questions in its order; those that a round added and has not placed yet come last."""
    unplaced = Task.run > queue.order_run
    rows = select(Task, Asset).join(Asset, Asset.id == Task.asset_pk)
    here = (Task.queue_id == queue.id, Task.state == "open", Task.label_studio_task.is_not(None))
    return rows.where(*here, Asset.removed_at.is_(None)).order_by(unplaced, Task.position, Task.id)


def left(session: Session, queue: Queue) -> int:
    """How many questions of the queue are open."""
    here = (Task.queue_id == queue.id, Task.state == "open", Asset.removed_at.is_(None))
    rows = select(func.count()).select_from(Task).join(Asset, Asset.id == Task.asset_pk)
    return session.scalar(rows.where(*here)) or 0


def today(session: Session, attribute_id: int, expert_id: int) -> int:
    """Answers of the expert on the attribute since midnight (UTC), skips apart."""
    since = Annotation.received_at >= now().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = (Annotation.attribute_id == attribute_id, Annotation.expert_id == expert_id, since)
    answer = current([attribute_id], [expert_id], assets=select(Annotation.asset_pk).where(*mine))
    rows = select(func.count()).select_from(answer).join(Annotation, Annotation.id == answer.c.id)
    return session.scalar(rows.where(since, answer.c.value != SKIP)) or 0
