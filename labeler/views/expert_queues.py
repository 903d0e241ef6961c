"""The queues of a question, for those who manage: how long each is, what its expert answered, and whether it asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import answer_table, held_answers
from attune.labeler.answers.answer_seconds import FEWEST, LONGEST, NEWEST
from attune.labeler.attributes import attributes
from attune.labeler.queues.grids import open_pages
from attune.labeler.records.schema import Asset, Attribute, Expert, Grid, Queue, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.links import queue_url
from attune.models.clock import iso


@dataclass(frozen=True)
class ExpertQueue:
    """One expert's queue: images ``waiting`` in it and on pages of images, answers (skips apart), the time of the last
    answer, the median ``seconds`` of an answer (None: too few were timed), and who stopped it when, if it is."""

    expert: str
    email: str
    url: str
    waiting: int
    answers: int
    last_at: datetime | None
    seconds: float | None
    stopped_at: datetime | None
    stopped_by: str

    @property
    def state(self) -> str:
        """``stopped`` or ``open``."""
        return "open" if self.stopped_at is None else "stopped"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        times = {"last_at": self.last_at, "stopped_at": self.stopped_at}
        return vars(self) | {key: iso(at) if at else None for key, at in times.items()} | {"state": self.state}


def of(settings: Settings, name: str) -> list[ExpertQueue]:
    """The queues of the attribute ``name``. Raises UnknownAttribute."""
    with reading(settings) as session:
        return read(session, settings, attributes.find(session, name))


def read(session: Session, settings: Settings, attribute: Attribute) -> list[ExpertQueue]:
    """The queues of ``attribute`` by their experts' names."""
    rows = session.execute(
        select(Queue, Expert)
        .join(Expert, Expert.id == Queue.expert_id)
        .where(Queue.attribute_id == attribute.id, Queue.closed_at.is_(None), Expert.removed_at.is_(None))
        .order_by(Expert.name, Expert.id)
    ).all()
    ids = [expert.id for _, expert in rows]
    waiting, given = _waiting(session, attribute.id, [queue.id for queue, _ in rows]), _given(session, attribute.id)
    seconds = _seconds(session, attribute.id, ids)
    return [
        ExpertQueue(
            expert.name,
            expert.email,
            queue_url(settings, queue),
            waiting.get(expert.id, 0) if queue.stopped_at is None else 0,
            *given.get(expert.id, (0, None)),
            seconds.get(expert.id),
            queue.stopped_at,
            queue.stopped_by,
        )
        for queue, expert in rows
    ]


def _waiting(session: Session, attribute_id: int, queues: Sequence[int]) -> dict[int, int]:
    """By expert, the images that wait in the queue and on pages."""
    found = (
        select(Queue.expert_id, func.count(Task.id))
        .join(Task, Task.queue_id == Queue.id)
        .join(Asset, Asset.id == Task.asset_pk)
        .where(Queue.id.in_(queues), Task.state == "open", Asset.removed_at.is_(None))
        .group_by(Queue.expert_id)
    )
    waiting: dict[int, int] = defaultdict(int, session.execute(found).all())
    for grid in session.scalars(select(Grid).where(Grid.attribute_id == attribute_id, Grid.closed_at.is_(None))):
        waiting[grid.expert_id] += sum(len(page.asset_pks) for page in open_pages(session, grid.id))
    return waiting


def _given(session: Session, attribute_id: int) -> dict[int, tuple[int, datetime | None]]:
    """By expert, how many answers, and the time of the newest."""
    table = held_answers.of(session, attribute_id)
    experts, answered = table.experts[table.is_answer], table.answered[table.is_answer]
    return {
        expert: (int((experts == expert).sum()), answer_table.moment(int(answered[experts == expert].max())))
        for expert in np.unique(experts).tolist()
    }


def _seconds(session: Session, attribute_id: int, experts: Sequence[int]) -> Mapping[int, float]:
    """By expert, the median seconds of the newest timed answers; not where there are too few."""
    table = held_answers.of(session, attribute_id)
    looks = {expert: table.looks(table.experts == expert, LONGEST, NEWEST) for expert in experts}
    return {expert: float(np.median(some)) for expert, some in looks.items() if len(some) >= FEWEST}
