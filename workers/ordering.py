"""From the learner's plan to each expert's queue: what to put in, in which order, what to take out.

Pure: reads a snapshot, writes nothing. Audits keep the turn they were given when drawn; the rest follows the newest probe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.answers import AUDIT, SKIP, UNSURE, Answer
from models.planner import Ask
from workers.snapshot import Asked, Snapshot

FRESH = 8  # new questions that may push older ones back in one round, where the queue is full
AUDIT_SPREAD = 10  # an audit's turn comes within so many answers of being drawn
OVERLAP = 0.1  # of the answered images, so many go to a second expert even without a dispute


@dataclass
class QueuePlan:
    """One queue after this round: open tasks in order (old by key, new as Ask), and what is stale."""

    queue: int
    order: list[Asked | Ask] = field(default_factory=list)
    stale: list[Asked] = field(default_factory=list)

    @property
    def new(self) -> list[Ask]:
        """The questions that Label Studio does not have yet, in order."""
        return [item for item in self.order if isinstance(item, Ask)]


def taken(snapshot: Snapshot) -> npt.NDArray[np.intp]:
    """Pool rows the planner must leave alone: answered, waiting as an audit, or not to be shown; oldest first."""
    audits = [task.row for task in snapshot.asked if task.purpose == AUDIT and task.state == "open" and task.row >= 0]
    rows = [*snapshot.view.hidden.tolist(), *snapshot.answered.tolist(), *audits]
    return np.array(list(dict.fromkeys(rows)), dtype=np.intp)


def contested(snapshot: Snapshot) -> list[int]:
    """Pool rows that deserve a second opinion, most urgent first: disputes, then unsure alone, then a small overlap.

    Nothing is contested while one expert works alone.
    """
    if len(snapshot.queues) < 2:
        return []
    said: dict[int, list[Answer]] = {}
    for (row, _), answer in zip(snapshot.answer_rows, snapshot.answers, strict=True):
        if row >= 0 and answer.value != SKIP and answer.purpose != AUDIT:
            said.setdefault(row, []).append(answer)
    waiting = {task.row for task in snapshot.asked if task.state == "open"}
    ranked = [(_dispute(answers), row) for row, answers in said.items() if row not in waiting]
    lots = np.random.default_rng([snapshot.seed, 3]).random(len(snapshot.view.pool))
    alone = [row for row, answers in said.items() if len(answers) == 1 and lots[row] < OVERLAP and row not in waiting]
    disputed = [row for urgency, row in sorted(ranked, key=lambda pair: (-pair[0], pair[1])) if urgency > 0]
    return list(dict.fromkeys([*disputed, *alone]))


def _dispute(answers: Sequence[Answer]) -> float:
    values = {answer.value for answer in answers if answer.value != UNSURE}
    if len(answers) == 1:
        return 0.5 if not values else 0.0
    if len(answers) == 2 and len(values) == 2:
        return 1.0  # a third opinion decides; beyond three the image itself is unclear
    return 0.0


def deal(snapshot: Snapshot, asks: Sequence[Ask], size: int) -> list[QueuePlan]:
    """Share the plan out over the queues: an open task stays where it is, a new one goes where most is missing.

    ``asks`` are best first, as ``models.learner.plan`` gives them for all queues together; ``size`` is how many open
    tasks each queue holds. No expert gets an image that he or she has answered.
    """
    plans = {queue.id: QueuePlan(queue.id) for queue in snapshot.queues}
    places = _Places(snapshot, plans, size)
    rank = {ask.index: number for number, ask in enumerate(asks)}
    open_training = [t for t in snapshot.asked if t.state == "open" and t.purpose != AUDIT and t.queue in plans]
    for task in sorted(open_training, key=lambda t: (rank.get(t.row, len(rank)), t.key)):
        if task.row >= 0 and task.row in rank:
            places.keep(task, rank[task.row])
    here = {task.row for task in open_training}
    for number, ask in enumerate(asks):
        if ask.index not in here or ask.purpose == "second-opinion":
            places.add(ask, number)
    for task in open_training:
        if task.row < 0 or task.row not in rank:
            places.drop(task)
    return [_merged(snapshot, plans[queue.id], places) for queue in snapshot.queues]


class _Places:
    """How full each queue is while the plan is dealt out."""

    def __init__(self, snapshot: Snapshot, plans: dict[int, QueuePlan], size: int) -> None:
        self.size = size
        self.plans = plans
        self.ranked: dict[int, list[tuple[float, Asked | Ask]]] = {queue: [] for queue in plans}
        self.fresh = dict.fromkeys(plans, 0)
        expert_of = {queue.id: queue.expert_id for queue in snapshot.queues}
        seen: dict[int, set[int]] = {}
        for row, expert in snapshot.answer_rows:
            seen.setdefault(expert, set()).add(row)
        self.seen = {queue: set(seen.get(expert, set())) for queue, expert in expert_of.items()}
        self.old: dict[int, int] = dict.fromkeys(plans, 0)
        for task in snapshot.asked:
            if task.queue in self.seen:
                self.seen[task.queue].add(task.row)
                self.old[task.queue] += task.state == "open" and task.purpose != AUDIT

    def keep(self, task: Asked, rank: int) -> None:
        self.ranked[task.queue].append((rank, task))

    def add(self, ask: Ask, rank: int) -> None:
        """Give a new question to the queue that has least before it, if any may take it."""
        able = [queue for queue in self.plans if ask.index not in self.seen[queue] and self._room(queue)]
        if not able:
            return
        queue = min(able, key=lambda one: (len(self.ranked[one]) + sum(r < rank for r, _ in self.ranked[one]), one))
        self.ranked[queue].append((rank, ask))
        self.seen[queue].add(ask.index)
        self.fresh[queue] += 1

    def _room(self, queue: int) -> bool:
        return self.fresh[queue] < max(FRESH, self.size - self.old[queue])

    def drop(self, task: Asked) -> None:
        """An old question that the plan no longer names: stale where newer ones fill the queue, else last."""
        if task.row < 0 or len(self.ranked[task.queue]) >= self.size:
            self.plans[task.queue].stale.append(task)
        else:
            self.ranked[task.queue].append((float("inf"), task))


def _merged(snapshot: Snapshot, plan: QueuePlan, places: _Places) -> QueuePlan:
    """The queue's final order: training questions by rank, each audit at its own turn."""
    training = [item for _, item in sorted(places.ranked[plan.queue], key=lambda pair: pair[0])]
    fresh_audits = [item for item in training if isinstance(item, Ask) and item.purpose == AUDIT]
    training = [item for item in training if item not in fresh_audits]
    answered = answered_by(snapshot, plan.queue)
    waiting: list[tuple[int, Asked | Ask]] = [
        ((task.due or 0) - answered, task)
        for task in snapshot.asked
        if task.queue == plan.queue and task.state == "open" and task.purpose == AUDIT and task.row >= 0
    ]
    waiting += [(turn(snapshot, ask, answered) - answered, ask) for ask in fresh_audits]
    order: list[Asked | Ask] = list(training)
    for place, audit in sorted(waiting, key=lambda pair: pair[0]):
        order.insert(min(max(place, 0), len(order)), audit)
    plan.order = order
    return plan


def answered_by(snapshot: Snapshot, queue: int) -> int:
    """How many tasks of a queue were answered."""
    return sum(task.queue == queue and task.state == "answered" for task in snapshot.asked)


def turn(snapshot: Snapshot, ask: Ask, answered: int) -> int:
    """The answer after which an audit is due: soon, by lot, so that its place tells nothing."""
    lot = np.random.default_rng([snapshot.seed, 4, ask.index]).integers(1, AUDIT_SPREAD)
    return answered + int(lot)
