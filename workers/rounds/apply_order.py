"""Bring Label Studio's queues to the order that a round decided, and the records with them.

Every step may be killed and done again: tasks are looked up by asset before they are made, and an order is a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import task_ids
from attune.labeler.assets.media import media_url
from attune.labeler.jobs.learn_lease import Lease
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.label_studio.task_address import Address
from attune.labeler.records.schema import Annotation, Asset, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioError
from attune.models.labels.answers import AUDIT, BY_HAND
from attune.models.query.planner import Ask
from attune.workers.rounds.learning_round import Learned
from attune.workers.rounds.queue_plan import HEAD, QueuePlan
from attune.workers.rounds.snapshot import Asked, Snapshot

NEVER = datetime.min.replace(tzinfo=UTC)
OFFERED = HEAD  # the first so many of a queue may be on an expert's screen before the next order arrives
AT_WORK = timedelta(minutes=3)  # an expert whose last answer is no older is at work
IDLE = timedelta(minutes=1)  # the others' queues follow at most this often
# A question is not taken away under someone's hands: Label Studio would refuse the answer. What is on a screen was
# offered shortly before the queue's last answer or later, and may stay there over lunch, a meeting or a night.
SERVED = timedelta(minutes=5)  # how long an order may have been in force when the last answer brought up its next
GRACE = timedelta(minutes=15)  # for a page opened again
AWAY = timedelta(days=2)


def apply(
    settings: Settings, ls: LabelStudio, snapshot: Snapshot, plans: list[QueuePlan], learned: Learned, lease: Lease
) -> int:
    """Put each queue in order, all queues at once; how many questions were new.

    A queue that Label Studio refuses does not hold up the others; its error is raised after they are done.
    """
    queues = {queue.id: queue for queue in snapshot.queues}
    last = {queue.id: newest_answer(settings, queue) for queue in snapshot.queues}
    due = [plan for plan in plans if is_due(queues[plan.queue], plan, last[plan.queue])]
    due.sort(key=lambda plan: last[plan.queue] or NEVER, reverse=True)
    # One after the other, the person who is at work first: Label Studio's own database takes one writer.
    added, failed = 0, []
    for plan in due:
        try:
            added += _one(settings, ls, snapshot, queues[plan.queue], plan, learned, lease, last[plan.queue])
        except LabelStudioError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return added


def newest_answer(settings: Settings, queue: Queue) -> datetime | None:
    """When the queue's last answer arrived."""
    with reading(settings) as session:
        arrived = select(func.max(Annotation.received_at)).join(Task, Task.id == Annotation.task_id)
        return session.scalar(arrived.where(Task.queue_id == queue.id))


def is_due(queue: Queue, plan: QueuePlan, newest: datetime | None) -> bool:
    """Whether a queue gets its new order now: at once while its expert works, now and then while no one looks."""
    if len(plan.order) - len(plan.new) < HEAD or not queue.model_version or queue.ordered_at is None:
        return True
    if plan.urgent or any(ask.purpose == AUDIT for ask in plan.new):
        return True  # drawn is drawn: an audit that is not asked would bias what the others stand for
    at_work = newest is not None and newest > now() - AT_WORK
    # Later than now: a clock was set back.
    return at_work or not now() - IDLE <= queue.ordered_at <= now() + IDLE


def may_be_on_screen(offered: datetime | None, newest: datetime | None) -> bool:
    """Whether a question offered last at ``offered`` may still be open in the browser of an expert whose last answer
    arrived at ``newest``.
    """
    if offered is None:
        return False
    since_answer = newest is None or offered > newest - SERVED
    return offered > now() - GRACE or (since_answer and offered > now() - AWAY)


def _one(
    settings: Settings,
    ls: LabelStudio,
    snapshot: Snapshot,
    queue: Queue,
    plan: QueuePlan,
    learned: Learned,
    lease: Lease,
    newest: datetime | None,
) -> int:
    name = next_order(queue.model_version, lease.token, learned.run)
    scores = {place: (place + 1) / (len(plan.order) + 1) for place in range(len(plan.order))}
    head_ids = {id(item) for item in plan.head}
    lease.renew()
    added = _add(settings, ls, snapshot, queue, plan, scores, learned.run, lease)
    old = {
        item.address.task: scores[place]
        for place, item in enumerate(plan.order)
        if isinstance(item, Asked) and id(item) in head_ids and item.address is not None
    }
    places = old | {task: scores[place] for place, task in added.items()}
    if places:
        lease.renew()
        # Older orders stay until the daily clean-up: they cost nothing, deleting them costs as much as the rest.
        vanished = label_studio_queue.reorder(ls, queue.project, places, name, "")
        _forget(settings, queue, vanished)
    retired = _retire(settings, ls, queue, plan, newest)
    _note_order(lease, queue, plan, added, learned.run, name)
    _forget(settings, queue, retired)
    return len(added)


def next_order(before: str, token: int, run: int) -> str:
    """The model version under which a new order is told: never one used before, so that no two orders mix."""
    number = int(before.split("-")[1]) if before.startswith("order-") else 0
    return f"order-{number + 1}-token-{token}-run-{run}"


def _add(
    settings: Settings,
    ls: LabelStudio,
    snapshot: Snapshot,
    queue: Queue,
    plan: QueuePlan,
    scores: Mapping[int, float],
    run: int,
    lease: Lease,
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
    anew = _retired(settings, queue, [task.asset_id for task in tasks])
    stand = label_studio_queue.add(ls, queue.project, tasks, anew=anew)
    with lease.writing() as session:  # a newer learner may have asked the same image for another reason in the meantime
        for ask, (_, until), where in zip(asks, signed, stand, strict=True):
            assert isinstance(ask, Ask)
            _keep(session, snapshot, queue, ask, where, run, plan.turns.get(ask.index)).signed_until = until
    return {place: where.task for place, where in zip(places, stand, strict=True)}


def _retired(settings: Settings, queue: Queue, asset_ids: Sequence[str]) -> set[str]:
    """Of the assets, those that the queue had before: Label Studio may hold an answer to them that holds no longer."""
    rows = select(Asset.asset_id).join(Task, Task.asset_pk == Asset.id)
    mine = (Task.queue_id == queue.id, Task.state == "retired", Asset.asset_id.in_(asset_ids))
    with reading(settings) as session:
        return set(session.scalars(rows.where(*mine)))


def _keep(
    session: Session, snapshot: Snapshot, queue: Queue, ask: Ask, where: Address, run: int, due: int | None
) -> Task:
    asset_pk = int(snapshot.view.keys[ask.index])
    existing = session.query(Task).filter_by(queue_id=queue.id, asset_pk=asset_pk).one_or_none()
    if existing is not None and existing.state == "answered" and existing.purpose != BY_HAND:
        return existing  # answered while this round continued: it was asked for what it was asked for
    task = existing or Task(queue_id=queue.id, asset_pk=asset_pk, created_at=now())
    task_ids.claim(session, task, where.task)
    # A task that Label Studio had already keeps its key, unless someone copied it there from another question.
    others = select(Task.id).where(Task.key == where.key, (Task.asset_pk != asset_pk) | (Task.queue_id != queue.id))
    if where.key and session.scalar(others) is None:
        task.key = where.key
    task.run, task.due = run, due
    task.purpose, task.utility, task.reason, task.inclusion = ask.purpose, ask.utility, ask.reason, ask.inclusion
    # As it is now: an owner may have stopped the queue while this round continued.
    is_stopped = session.scalar(select(Queue.stopped_at).where(Queue.id == queue.id)) is not None
    is_answered = existing is not None and existing.state == "answered"
    task.state = "answered" if is_answered else "retired" if is_stopped else "open"
    session.add(task)
    session.flush()
    # An answer that overtook this row was filed as given by hand: it was asked for after all.
    overtaken = (Annotation.task_id == task.id) & (Annotation.purpose == BY_HAND)
    session.execute(update(Annotation).where(overtaken).values(purpose=task.purpose, inclusion=task.inclusion))
    return task


def _retire(settings: Settings, ls: LabelStudio, queue: Queue, plan: QueuePlan, newest: datetime | None) -> list[int]:
    """Take stale questions out, except those that may be on a screen; Label Studio's ids of the ones really gone."""
    with reading(settings) as session:
        offered = {
            task.id: task.offered_at for task in session.query(Task).filter(Task.id.in_([t.key for t in plan.stale]))
        }
    # One whose image was removed goes in any case.
    idle = [task for task in plan.stale if task.row < 0 or not may_be_on_screen(offered.get(task.key), newest)]
    stale = [task.address for task in idle if task.address is not None]
    if not stale:
        return []
    try:
        return label_studio_queue.retire(ls, queue.project, stale)
    except LabelStudioError:
        return []  # a stale question costs little; the next round tries again


def _note_order(lease: Lease, queue: Queue, plan: QueuePlan, added: Mapping[int, int], run: int, name: str) -> None:
    with lease.writing() as session:
        session.execute(
            update(Queue).where(Queue.id == queue.id).values(model_version=name, order_run=run, ordered_at=now())
        )
        for place, item in enumerate(plan.order):
            which = Task.label_studio_task == added[place] if isinstance(item, Ask) else Task.id == item.key
            values = {"position": place} | ({"offered_at": now()} if place < OFFERED else {})
            session.execute(update(Task).where(which).values(**values))


def _forget(settings: Settings, queue: Queue, retired: list[int]) -> None:
    """Retire the questions that Label Studio holds no more; one asked again in the meantime has another id there."""
    if retired:
        mine = (Task.queue_id == queue.id, Task.label_studio_task.in_(retired), Task.state == "open")
        with writing(settings) as session:
            for task in session.scalars(select(Task).where(*mine)):
                task_ids.clear_id(task)
