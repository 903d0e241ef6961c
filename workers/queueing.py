"""Bring Label Studio's queues to the order that a round decided, and the records with them.

Every step may be killed and done again: tasks are looked up by asset before they are made, and an order is a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from labeler.media import media_url
from sqlalchemy import update
from sqlalchemy.orm import Session

from labeler.label_studio import queue as label_studio_queue
from labeler.label_studio.client import LabelStudio
from labeler.label_studio.queue import NewTask
from labeler.lease import Lease
from labeler.records.schema import Queue, Task
from labeler.records.session import reading, writing
from labeler.secrets import load as load_secrets
from labeler.settings import Settings
from models.clock import now
from models.errors import LabelStudioError
from models.planner import Ask
from workers.ordering import QueuePlan, answered_by, turn
from workers.rounds import Learned
from workers.snapshot import Asked, Snapshot

OFFERED = 3  # the first so many of a queue may be on an expert's screen before the next order arrives
GRACE = timedelta(minutes=15)  # and stay there: a question is not taken away under somebody's hands


def apply(
    settings: Settings, ls: LabelStudio, seen: Snapshot, plans: list[QueuePlan], learned: Learned, lease: Lease
) -> int:
    """Put each queue in order, all queues at once; how many questions were new.

    A queue that Label Studio refuses does not hold up the others; its error is raised after they are done.
    """
    queues = {queue.id: queue for queue in seen.queues}
    with ThreadPoolExecutor(max_workers=4) as pool:
        waiting = [pool.submit(_one, settings, ls, seen, queues[plan.queue], plan, learned, lease) for plan in plans]
    failed = [done.exception() for done in waiting if done.exception() is not None]
    if failed:
        raise failed[0]  # type: ignore[misc]
    return sum(done.result() for done in waiting)


def _one(
    settings: Settings, ls: LabelStudio, seen: Snapshot, queue: Queue, plan: QueuePlan, learned: Learned, lease: Lease
) -> int:
    name = f"run-{learned.run}"
    scores = {place: (place + 1) / (len(plan.order) + 1) for place in range(len(plan.order))}
    lease.renew()
    made = _add(settings, ls, seen, queue, plan, scores, name, learned.run)
    old = {item.label_studio_task: scores[place] for place, item in enumerate(plan.order) if isinstance(item, Asked)}
    if old or made:
        lease.renew()
        everything = old | {task: scores[place] for place, task in made.items()}
        label_studio_queue.reorder(ls, queue.project, everything, name, queue.model_version)
    gone = _retire(settings, ls, queue, plan)
    _note_order(settings, lease, queue, plan, made, learned.run, name)
    _forget(settings, gone)
    return len(made)


def _add(
    settings: Settings,
    ls: LabelStudio,
    seen: Snapshot,
    queue: Queue,
    plan: QueuePlan,
    scores: Mapping[int, float],
    name: str,
    run: int,
) -> dict[int, int]:
    """Import the new questions; place in the order -> Label Studio's id."""
    places = [place for place, item in enumerate(plan.order) if isinstance(item, Ask)]
    if not places:
        return {}
    secrets = load_secrets(settings.secrets)
    asks = [plan.order[place] for place in places]
    signed = [media_url(settings, secrets, ask.asset_id, now()) for ask in asks if isinstance(ask, Ask)]
    tasks = [
        NewTask(ask.asset_id, url, scores[place])
        for ask, (url, _), place in zip(asks, signed, places, strict=True)
        if isinstance(ask, Ask)
    ]
    ids = label_studio_queue.add(ls, queue.project, tasks, name)
    answered = answered_by(seen, queue.id)
    with writing(settings) as session:
        for ask, (_, until), task_id in zip(asks, signed, ids, strict=True):
            assert isinstance(ask, Ask)
            due = turn(seen, ask, answered) if ask.purpose == "audit" else None
            _keep(session, seen, queue, ask, task_id, run, due).signed_until = until
    return dict(zip(places, ids, strict=True))


def _keep(session: Session, seen: Snapshot, queue: Queue, ask: Ask, task_id: int, run: int, due: int | None) -> Task:
    asset_pk = int(seen.view.keys[ask.index])
    held = session.query(Task).filter_by(queue_id=queue.id, asset_pk=asset_pk).one_or_none()
    task = held or Task(queue_id=queue.id, asset_pk=asset_pk, created_at=now())
    task.label_studio_task, task.run, task.due = task_id, run, due
    task.purpose, task.utility, task.reason, task.inclusion = ask.purpose, ask.utility, ask.reason, ask.inclusion
    task.state = "open"
    session.add(task)
    session.flush()
    return task


def _retire(settings: Settings, ls: LabelStudio, queue: Queue, plan: QueuePlan) -> list[Asked]:
    """Take stale questions out, except those that may be on a screen; the ones really gone."""
    with reading(settings) as session:
        held = {
            task.id: task.offered_at for task in session.query(Task).filter(Task.id.in_([t.key for t in plan.stale]))
        }
    idle = [task for task in plan.stale if (at := held.get(task.key)) is None or at < now() - GRACE]
    if not idle:
        return []
    try:
        gone = set(label_studio_queue.retire(ls, queue.project, [task.label_studio_task for task in idle]))
    except LabelStudioError:
        return []  # a stale question costs little; the next round tries again
    return [task for task in idle if task.label_studio_task in gone]


def _note_order(
    settings: Settings, lease: Lease, queue: Queue, plan: QueuePlan, made: Mapping[int, int], run: int, name: str
) -> None:
    with writing(settings) as session:
        lease.check(session)
        session.execute(update(Queue).where(Queue.id == queue.id).values(model_version=name, order_run=run))
        for place, item in enumerate(plan.order):
            which = Task.label_studio_task == made[place] if isinstance(item, Ask) else Task.id == item.key
            values = {"position": place} | ({"offered_at": now()} if place < OFFERED else {})
            session.execute(update(Task).where(which).values(**values))


def _forget(settings: Settings, gone: list[Asked]) -> None:
    if gone:
        with writing(settings) as session:
            session.execute(update(Task).where(Task.id.in_([t.key for t in gone])).values(state="retired"))
