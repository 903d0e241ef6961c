"""Images that people chose: each stands at the head of its expert's queue until that expert has answered it.

Near duplicates and titles asked just now are let in, as a person wanted them. An image of an audit title is asked like
any other; what that means for learning and measuring is in docs/decisions/0002-chosen-images.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attune.models.labels.answers import AUDIT, IMPORT, SKIP
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

    One that waits there as an audit comes first like any other, and stays an audit: left at its place, it could be told
    from the others by whoever chooses all that waits.
    """
    for one in snapshot.picks:
        own_tasks = [task for task in snapshot.asked if (task.queue, task.row) == (one.queue, one.row)]
        waiting = [task for task in own_tasks if task.state == "open"]
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
    """Of ``asks``, the audits that nothing measures yet: the others measure as they are."""
    excluded = measured(snapshot)
    return [ask for ask in asks if ask.purpose == AUDIT and ask.index not in excluded]


def measured(snapshot: Snapshot) -> set[int]:
    """Pool rows that need no audit more, should they be drawn: an answer there measures, or one that waits will.

    What its own expert chose does not: whoever chose all images of a title would be the only one to measure by it. Nor
    does a skip: whoever skipped the images that a probe gets wrong would raise the figure.
    """
    own = snapshot.own
    measuring = {
        answer.asset_id
        for answer in snapshot.first_answers
        if answer.value != SKIP
        and (answer.purpose == AUDIT or (answer.purpose != IMPORT and (answer.asset_id, answer.expert) not in own))
    }
    answered = set(snapshot.view.pool.positions(sorted(measuring)).tolist())
    asked = {
        task.row
        for task in snapshot.asked
        if task.state == "open" and (task.purpose == AUDIT or not snapshot.is_own(task.row, task.queue))
    }
    chosen = {pick.row for pick in snapshot.picks if not snapshot.is_own(pick.row, pick.queue)}
    return answered | asked | chosen
