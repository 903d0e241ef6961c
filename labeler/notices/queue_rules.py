"""What the schedule looks for in the queues: those that wait for someone, and those that ran empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import uncounted
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News, page
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Annotation, Attribute, Expert, Queue, Task
from attune.models.clock import now
from attune.models.text import plural

EMPTY_FOR = timedelta(minutes=15)  # rounds fill queues within seconds


def stalled(session: Session, days: int) -> Iterator[News]:
    """Questions that wait while no one answers: for those who manage, and for each expert about their own queue."""
    before = now() - timedelta(days=days)
    rows = session.execute(
        select(Attribute, Queue, func.count(Task.id), func.max(Task.created_at))
        .join(Queue, Queue.attribute_id == Attribute.id)
        .join(Task, and_(Task.queue_id == Queue.id, Task.state == "open"))
        .where(is_asking(), Attribute.retired_at.is_(None))
        .group_by(Attribute.id, Queue.id)
    ).all()
    last = _last_answers(session)
    by_attribute: dict[int, list[tuple[Attribute, Queue, int]]] = {}
    for row, queue, waiting, _ in rows:
        by_attribute.setdefault(row.id, []).append((row, queue, waiting))
    for stalled_queues in by_attribute.values():
        row = stalled_queues[0][0]
        quiet = max(last.get((row.id, queue.expert_id)) or queue.created_at for _, queue, _ in stalled_queues)
        if quiet < before:
            total = plural(sum(waiting for _, _, waiting in stalled_queues), "open task")
            yield News(
                f"stalled:{row.id}:{_stamp(quiet)}", notices.STALLED, f"{row.name}: no answer for {days} days",
                f"{total} in {plural(len(stalled_queues), 'queue')}. No answer since {quiet:%d %B %Y}.",
                page(row.name), row.id,
            )  # fmt: skip
        for _, queue, waiting in stalled_queues:
            since = last.get((row.id, queue.expert_id)) or queue.created_at
            if since < before:
                images = plural(waiting, "image", "wait")
                yield News(
                    f"waiting:{queue.id}:{_stamp(since)}", notices.WAITING, f"{images} for you",
                    f"{row.question} Your queue has waited since {since:%d %B %Y}.", page(row.name), row.id,
                    queue.expert_id,
                )  # fmt: skip


def _last_answers(session: Session) -> dict[tuple[int, int], datetime]:
    rows = session.execute(
        select(Annotation.attribute_id, Annotation.expert_id, func.max(Annotation.received_at)).group_by(
            Annotation.attribute_id, Annotation.expert_id
        )
    )
    return {(attribute, expert): at for attribute, expert, at in rows}


def empty(session: Session) -> Iterator[News]:
    """Open queues that have been empty for a while although the pool holds images that the queue never had."""
    pool = pool_size(session)
    waiting = func.sum(case((Task.state == "open", 1), else_=0))
    rows = session.execute(
        select(Queue, Attribute, Expert, func.count(Task.id), waiting)
        .join(Attribute, Attribute.id == Queue.attribute_id)
        .join(Expert, Expert.id == Queue.expert_id)
        .outerjoin(Task, Task.queue_id == Queue.id)
        .where(is_asking(), Attribute.retired_at.is_(None), Expert.removed_at.is_(None))
        .group_by(Queue.id, Attribute.id, Expert.id)
    ).all()
    last = _last_answers(session) if rows else {}
    for queue, row, expert, ever, remaining in rows:
        since = max(filter(None, (last.get((row.id, expert.id)), queue.ordered_at, queue.created_at)))
        if not remaining and ever < pool and since < now() - EMPTY_FOR:
            yield News(
                f"empty:{queue.id}:{_stamp(since)}", notices.EMPTY, f"{row.name}: an expert's queue is empty",
                f"{expert.name} has no open tasks, but the pool has images that were never asked. A run chooses "
                "the next ones.", page(row.name), row.id,
            )  # fmt: skip


def left_out(session: Session) -> Iterator[News]:
    """Answers in Label Studio that are not counted: once for each reason a day."""
    attribute_names = {
        one.id: one.name for one in session.scalars(select(Attribute).where(Attribute.retired_at.is_(None)))
    }
    for (attribute, reason), count in sorted(uncounted.counts(session).items()):
        if attribute in attribute_names and reason not in uncounted.HARMLESS:
            name = attribute_names[attribute]
            yield News(
                f"left out:{attribute}:{reason}:{now():%Y-%m-%d}", notices.LEFT_OUT,
                f"{name}: {plural(count, 'uncounted answer')} in Label Studio ({reason})",
                f"{uncounted.TODO[reason].replace('NAME', name)} To list them: `attune labels left-out {name}`",
                page(name), attribute,
            )  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"
