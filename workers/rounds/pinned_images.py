"""Images that people chose: each stands at the head of its expert's queue until that expert has answered it.

Near duplicates and titles asked just now are let in, as a person wanted them. An image of an audit title is asked like
any other; what that means for learning and measuring is in docs/decisions/0002-chosen-images.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attune.models.labels.answers import AUDIT
from attune.models.query.planner import Ask
from attune.workers.rounds.snapshot import Asked, Snapshot

PURPOSE = "seed"


def rows(snapshot: Snapshot) -> list[int]:
    """Pool rows that the planner must leave to the people who chose them."""
    return [one.row for one in snapshot.picks]


def put_first(
    snapshot: Snapshot, ranked: Mapping[int, list[Asked | Ask]], rows_by_queue: Mapping[int, set[int]]
) -> None:
    """Begin each queue's order, ``ranked``, with its chosen images; ``rows_by_queue``: pool rows that a queue has had.

    One that waits there as an audit keeps its place as one: moved, it could be told from the others.
    """
    for one in snapshot.picks:
        own_tasks = [task for task in snapshot.asked if (task.queue, task.row) == (one.queue, one.row)]
        waiting = [task for task in own_tasks if task.state == "open" and task.purpose != AUDIT]
        if waiting:
            ranked[one.queue].append(waiting[0])
        elif one.row not in rows_by_queue[one.queue]:
            name = str(snapshot.view.pool.asset_ids[one.row])
            ranked[one.queue].append(Ask(one.row, name, PURPOSE, 1.0, one.reason))
            rows_by_queue[one.queue].add(one.row)


def has_new_pins(snapshot: Snapshot, queue: int) -> bool:
    """Whether images were chosen for the queue since its last order."""
    ordered = {one.id: one.ordered_at for one in snapshot.queues}[queue]
    return any(one.queue == queue and (ordered is None or one.at > ordered) for one in snapshot.picks)


def unanswered_audits(snapshot: Snapshot, asks: Sequence[Ask]) -> list[Ask]:
    """Of ``asks``, the audits that no one has answered and that wait in no queue: the others measure as they are."""
    excluded = {
        *snapshot.answered.tolist(),
        *(task.row for task in snapshot.asked if task.state == "open"),
        *rows(snapshot),
    }
    return [ask for ask in asks if ask.purpose == AUDIT and ask.index not in excluded]
