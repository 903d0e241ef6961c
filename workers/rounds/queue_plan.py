"""From the learner's plan to each expert's queue: what to put in, in which order, what to take out.

Pure: reads a snapshot, writes nothing. Audits keep the turn they were given when drawn; the rest follows the newest
probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from attune.labeler.queues.asking import LEAST_READY
from attune.models.labels.answers import AUDIT, SECOND_OPINION
from attune.models.query.planner import Ask
from attune.workers.rounds import pinned_images
from attune.workers.rounds.snapshot import Asked, Snapshot

HEAD = LEAST_READY  # the places that follow the newest probe; what lies behind them is only a reserve
RESERVE = 1.5  # a queue may grow to so many times its size before its stale end is cut
AUDIT_SPREAD = 10  # an audit's turn comes within so many answers of being drawn, where few are
LONE = 5  # audits that may wait in a queue for which there is nothing else that is new


@dataclass
class QueuePlan:
    """One queue after this round: open tasks in order (old by key, new as Ask), and what is stale."""

    queue: int
    order: list[Asked | Ask] = field(default_factory=list)
    stale: list[Asked] = field(default_factory=list)
    turns: dict[int, int] = field(default_factory=dict)  # pool row of a new audit -> the answer after which it is due
    urgent: bool = False  # images were chosen for this queue since its last order

    @property
    def head(self) -> list[Asked | Ask]:
        """The questions whose place is told to Label Studio: more than anyone answers before the next round."""
        return [item for place, item in enumerate(self.order) if place < HEAD or isinstance(item, Ask)]

    @property
    def new(self) -> list[Ask]:
        """The questions that Label Studio does not have yet, in order."""
        return [item for item in self.order if isinstance(item, Ask)]


def asked_rows(snapshot: Snapshot) -> npt.NDArray[np.intp]:
    """Pool rows that were asked already: answered, waiting as an audit or on a page, or chosen by a person; and the
    question's examples, whose answer it tells."""
    audits = [task.row for task in snapshot.asked if task.purpose == AUDIT and task.state == "open" and task.row >= 0]
    rows = [*snapshot.answered.tolist(), *audits, *pinned_images.rows(snapshot), *snapshot.paged]
    rows += snapshot.examples.tolist()
    return np.array(list(dict.fromkeys(rows)), dtype=np.intp)


def missing_by_queue(snapshot: Snapshot, size: int) -> dict[int, int]:
    """Queue -> how many questions it lacks to hold ``size`` open ones."""
    return {queue.id: max(0, size - len(waiting_tasks(snapshot, queue.id))) for queue in snapshot.queues}


def waiting_tasks(snapshot: Snapshot, queue: int) -> list[Asked]:
    """A queue's open questions that are no audits, oldest first."""
    return [task for task in snapshot.asked if task.queue == queue and task.state == "open" and task.purpose != AUDIT]


def assign_to_queues(
    snapshot: Snapshot,
    asks: Sequence[Ask],
    size: int,
    experts: Sequence[str] = (),
    queue_of_row: Mapping[int, int] | None = None,
) -> list[QueuePlan]:
    """Share the plan out over the queues: an open task stays where it is, a new one goes where most is missing.

    ``asks`` are best first, as ``probes.learner.plan`` gives them for all queues together; ``size`` is how many open
    tasks each queue is to hold. No expert gets an image that he or she has answered. The new audits go to the queues of
    ``experts`` (email addresses; none means all), as many at once as other new questions hide: the rest waits for the
    next round. ``queue_of_row`` names the queue (by pool row) that a second opinion goes to.
    """
    places = _Places(snapshot, size)
    pinned_images.put_first(snapshot, places.ranked, places.seen)
    here = {task.row: task for queue in places.ranked for task in waiting_tasks(snapshot, queue)}
    for task in here.values():
        if task.purpose == SECOND_OPINION:
            places.keep(task)  # no plan names it again: behind the head no one would ever come to it
    for ask in asks:
        waiting = here.get(ask.index)
        if waiting is not None and ask.purpose != SECOND_OPINION:
            places.keep(waiting)
        elif ask.purpose != AUDIT:
            places.add(ask, (queue_of_row or {}).get(ask.index))
    asked_for = {queue.id for queue in snapshot.queues if snapshot.experts[queue.expert_id] in experts}
    room = {queue.id: _audit_room(snapshot, queue.id, places) for queue in snapshot.queues}
    audits = _deal_audits(snapshot, [ask for ask in asks if ask.purpose == AUDIT], asked_for, room)
    return [_merge_order(snapshot, queue.id, places, audits[queue.id], size) for queue in snapshot.queues]


class _Places:
    """The head of each queue while the plan is dealt out."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self.ranked: dict[int, list[Asked | Ask]] = {queue.id: [] for queue in snapshot.queues}
        self.room = {queue: max(HEAD, lacking) for queue, lacking in missing_by_queue(snapshot, size).items()}
        answered: dict[int, set[int]] = {}
        for row, expert in snapshot.answer_rows:
            answered.setdefault(expert, set()).add(row)
        self.seen = {queue.id: set(answered.get(queue.expert_id, set())) for queue in snapshot.queues}
        for task in snapshot.asked:
            if task.queue in self.seen:
                self.seen[task.queue].add(task.row)

    def keep(self, task: Asked) -> None:
        if task not in self.ranked[task.queue]:  # it may stand there already, chosen by a person
            self.ranked[task.queue].append(task)

    def add(self, ask: Ask, requested: int | None = None) -> None:
        """Give a new question to the queue ``requested``, else to the one with least before it, if any may take it."""
        able = [
            queue
            for queue, ranked in self.ranked.items()
            if ask.index not in self.seen[queue] and len(ranked) < self.room[queue]
        ]
        if able:
            queue = min(able, key=lambda one: (one != requested, len(self.ranked[one]), one))
            self.ranked[queue].append(ask)
            self.seen[queue].add(ask.index)


def _audit_room(snapshot: Snapshot, queue: int, places: _Places) -> float:
    """How many new audits the queue may get at once: no more than come with them of questions that are none.

    What comes together can be told from the rest, by the numbers of its tasks at least: a batch of audits alone would
    be known by one of them. Where nothing else is left to ask, there is nothing to tell them from.
    """
    chosen = set(pinned_images.rows(snapshot))
    new = sum(isinstance(item, Ask) and item.index not in chosen for item in places.ranked[queue])
    if not new and not waiting_tasks(snapshot, queue):
        return float("inf")
    return max(new, int(len(_waiting_audits(snapshot, queue)) < LONE))


def _deal_audits(
    snapshot: Snapshot, audits: Sequence[Ask], asked_for: Set[int], room: Mapping[int, float]
) -> dict[int, list[Ask]]:
    """New audits in turn over the queues ``asked_for`` (none means all), the one with the fewest waiting first, no more
    than ``room`` for each.

    One that an expert chose, or whose answer was excluded, goes to another queue: this one has the image already.
    """
    dealt: dict[int, list[Ask]] = {queue.id: [] for queue in snapshot.queues}
    counts = {queue: len(_waiting_audits(snapshot, queue)) for queue in dealt}
    had = _pairs_seen(snapshot)
    for ask in audits:
        able = [queue for queue in dealt if (queue, ask.index) not in had]
        if not able:
            continue
        free = [queue for queue in set(able) & asked_for or able if len(dealt[queue]) < room[queue]]
        if not free:
            continue
        queue = min(free, key=lambda one: (counts[one], one))
        dealt[queue].append(ask)
        counts[queue] += 1
    return dealt


def _pairs_seen(snapshot: Snapshot) -> set[tuple[int, int]]:
    """Pairs (queue, pool row) of the images that a queue has or had."""
    had = {(task.queue, task.row) for task in snapshot.asked} | {(pick.queue, pick.row) for pick in snapshot.picks}
    return had | {
        (queue.id, row) for row, who in snapshot.answer_rows for queue in snapshot.queues if queue.expert_id == who
    }


def coming_count(snapshot: Snapshot, audits: Sequence[Ask], plans: Sequence[QueuePlan]) -> int:
    """How many of ``audits`` no queue got in this round, though one may get them in a later one."""
    seen, dealt = _pairs_seen(snapshot), {row for plan in plans for row in plan.turns}
    remaining = [ask.index for ask in audits if ask.index not in dealt]
    return sum(any((queue.id, row) not in seen for queue in snapshot.queues) for row in remaining)


def _waiting_audits(snapshot: Snapshot, queue: int) -> list[Asked]:
    return [
        task
        for task in snapshot.asked
        if task.queue == queue and task.state == "open" and task.purpose == AUDIT and task.row >= 0
    ]


def _merge_order(snapshot: Snapshot, queue: int, places: _Places, fresh_audits: Sequence[Ask], size: int) -> QueuePlan:
    """The queue's final order: its head by rank, the reserve behind it, each audit at its own turn."""
    head = places.ranked[queue]
    kept_keys = {item.key for item in head if isinstance(item, Asked)}
    rest = [task for task in waiting_tasks(snapshot, queue) if task.key not in kept_keys]
    done = _answered_elsewhere(snapshot, queue)
    finished = [task for task in rest if task.row < 0 or task.row in done]
    rest = [task for task in rest if task not in finished]
    # Cut rarely and then deeply: each cut is a request that Label Studio takes its time for.
    most = size - len(head) if len(head) + len(rest) > RESERVE * size else len(rest)
    order: list[Asked | Ask] = [*head, *rest[len(rest) - max(0, most) :]]
    stale = finished + rest[: len(rest) - max(0, most)]
    answered = answered_by(snapshot, queue)
    # A chosen one stands first.
    waiting_audits = [task for task in _waiting_audits(snapshot, queue) if task.key not in kept_keys]
    turns = _turns(snapshot, fresh_audits, answered)
    audits: list[tuple[int, Asked | Ask]] = [
        *(((task.due or 0) - answered, task) for task in waiting_audits),
        *((turns[ask.index] - answered, ask) for ask in fresh_audits),
    ]
    for place, audit in sorted(audits, key=lambda pair: pair[0]):
        order.insert(min(max(place, 0), len(order)), audit)
    return QueuePlan(queue, order, stale, turns, pinned_images.has_new_pins(snapshot, queue))


def _answered_elsewhere(snapshot: Snapshot, queue: int) -> set[int]:
    """Pool rows that the queue's expert has answered, such as on a page of images: no one is asked twice."""
    expert = next(one.expert_id for one in snapshot.queues if one.id == queue)
    return {row for row, who in snapshot.answer_rows if who == expert}


def answered_by(snapshot: Snapshot, queue: int) -> int:
    """How many tasks of a queue were answered."""
    return sum(task.queue == queue and task.state == "answered" for task in snapshot.asked)


def _turns(snapshot: Snapshot, audits: Sequence[Ask], answered: int) -> dict[int, int]:
    """Pool row of each new audit -> the answer after which it is due: soon, at random, so its place tells nothing."""
    latest = max(AUDIT_SPREAD, 2 * len(audits))
    lots = {ask.index: np.random.default_rng([snapshot.seed, 4, ask.index]) for ask in audits}
    return {row: answered + int(lot.integers(1, latest)) for row, lot in lots.items()}
