"""The job `sync`: what Label Studio really holds, brought into the records. The webhook is only a hint of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from labeler import aside, attributes, ingest, revisions
from labeler.jobs import Report
from labeler.label_studio import changes
from labeler.label_studio import queue as label_studio_queue
from labeler.label_studio.changes import TaskState
from labeler.label_studio.client import LabelStudio
from labeler.media import media_url
from labeler.records.schema import Annotation, Asset, Attribute, Queue, Task
from labeler.records.session import reading, writing
from labeler.secrets import load as load_secrets
from labeler.settings import Settings
from models.clock import now
from models.errors import LabelStudioRefused, UnknownAnnotationShape
from workers import grids
from workers.grids import FAREWELL

log = logging.getLogger("attune.sync")
# Label Studio stamps a change before it commits it; a change that slow is asked for again.
OVERLAP = timedelta(seconds=30)
RENEW = timedelta(days=2)  # an image's address that ends sooner is signed anew


def run(settings: Settings, report: Report, attribute: str | None = None, whole: bool = False) -> dict[str, Any]:
    """Read what changed in the queues of ``attribute`` (None: all) since the last sync, and ask to learn from it.

    Of a leaver's queue the last answers may still be on their way: it is read for another day.

    ``whole`` compares all tasks, which also finds the ones deleted in Label Studio. Idempotent. A queue that cannot be
    read does not stop the others: it is named under "failed". Raises UnknownAttribute, LabelStudioUnreachable.
    """
    ls = LabelStudio.connect(settings)
    waiting = open_queues(settings, attribute)
    told = {"queues": 0, "changed": 0, "deleted": 0, "left_out": 0}
    changed: set[int] = set()
    failed: dict[str, str] = {}
    for number, queue in enumerate(waiting):
        report(number, len(waiting))
        try:
            found = one_queue(settings, ls, queue, whole)
        except LabelStudioRefused as error:
            log.error("queue %d (project %d) could not be read: %s", queue.id, queue.project, error)
            failed[str(queue.project)] = str(error)
            continue
        told["queues"] += 1
        for key in ("changed", "deleted", "left_out"):
            told[key] += found[key]
        if found["changed"] or found["deleted"]:
            changed.add(queue.attribute_id)
    only = waiting[0].attribute_id if attribute is not None and waiting else None
    changed |= grids.sync(settings, ls, only, whole, told, failed)
    report(len(waiting), len(waiting))
    for name in names(settings, changed):
        ingest.ask_to_learn(settings, name)
    return {**told, "attributes": names(settings, changed), "failed": failed}


def open_queues(settings: Settings, attribute: str | None) -> list[Queue]:
    """The queues to read, oldest first."""
    with reading(settings) as session:
        read = or_(Queue.closed_at.is_(None), Queue.closed_at > now() - FAREWELL)
        wanted = select(Queue).where(read).order_by(Queue.id)
        if attribute is not None:
            wanted = wanted.where(Queue.attribute_id == attributes.find(session, attribute).id)
        return list(session.scalars(wanted))


def names(settings: Settings, keys: set[int]) -> list[str]:
    """The names of attributes by key, sorted."""
    with reading(settings) as session:
        return sorted(session.scalars(select(Attribute.name).where(Attribute.id.in_(keys))))


def one_queue(settings: Settings, ls: LabelStudio, queue: Queue, whole: bool = False) -> dict[str, int]:
    """Bring one queue's changes in; how many answers changed, were deleted, and could not be read."""
    asked_at = now()
    since = None if whole or queue.synced_until is None else queue.synced_until - OVERLAP
    told = {"changed": 0, "deleted": 0, "left_out": 0}
    newest = queue.synced_until
    for state in changes.changed_since(ls, queue.project, since):
        with writing(settings) as session:
            take(session, queue, state, asked_at, told)
        newest = max(newest or state.updated_at, state.updated_at)
    if newest is not None:
        # Never beyond the question: a clock that was ahead for a while would hide all answers until it is as late.
        with writing(settings) as session:
            session.get_one(Queue, queue.id).synced_until = min(newest, asked_at)
    if whole:
        told["deleted"] += forget_deleted(settings, ls, queue)
        drop_twins(settings, ls, queue)
        drop_old_orders(settings, ls, queue)
    if queue.closed_at is None:
        renew_images(settings, ls, queue)
    return told


def take(session: Session, queue: Queue, state: TaskState, asked_at: datetime, told: dict[str, int]) -> None:
    """One task's annotations into the records; adds to ``told``."""
    classes = revisions.every_class(session, queue.attribute_id)
    for annotation in state.annotations:
        try:
            seen = ingest.read(annotation, state.id, state.asset_id, classes)
        except UnknownAnnotationShape as error:
            log.warning("left out: %s", error)
            told["left_out"] += 1
            continue
        told["changed"] += ingest.store(session, queue, seen, "sync")
    present = [int(annotation["id"]) for annotation in state.annotations]
    gone = ingest.missing(session, state.id, present, asked_at)
    ingest.delete(session, gone, "sync", queue.attribute_id)
    told["deleted"] += len(gone)


def forget_deleted(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Retire tasks that somebody deleted in Label Studio, with their answers; how many answers that were.

    Where most of a queue's answers would go at once, nothing is done: that is a lost or exchanged Label Studio, not an
    edit, and the records may be all that is left of the answers.
    """
    known = select(Task).where(Task.queue_id == queue.id, Task.state != "retired")
    with reading(settings) as session:
        candidates = {task.id for task in session.scalars(known)}  # one made while Label Studio answers is not missing
    held = changes.task_ids(ls, queue.project)
    with writing(settings) as session:
        rows = [task for task in session.scalars(known) if task.id in candidates]
        missing = [task for task in rows if task.label_studio_task not in held]
        answers = annotations_of(session, [task.id for task in missing])
        total = session.scalar(
            select(func.count())
            .select_from(Annotation)
            .join(Task, Task.id == Annotation.task_id)
            .where(Task.queue_id == queue.id, aside.held())
        )
        if len(answers) > max(5, (total or 0) // 2):
            log.error(
                "%d of %s answers of queue %d are gone from Label Studio; kept here", len(answers), total, queue.id
            )
            return 0
        ingest.delete(session, answers, "sync", queue.attribute_id)
        for task in missing:
            task.state = "retired"
    return len(answers)


def drop_twins(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Delete untouched second tasks of an image that the queue holds already, or its expert would see it twice; how
    many. Two learners at once can leave one, of which only one is in the records.
    """
    with reading(settings) as session:
        rows = session.execute(
            select(Asset.asset_id, Task.label_studio_task)
            .join(Asset, Asset.id == Task.asset_pk)
            .where(Task.queue_id == queue.id, Task.state != "retired")
        ).all()
    known: dict[str, int] = dict(rows)
    twins = {task: known[asset_id] for task, asset_id in changes.untouched(ls, queue.project) if asset_id in known}
    twins = {task: kept for task, kept in twins.items() if task != kept}
    held = changes.task_ids(ls, queue.project) if twins else set()
    gone = label_studio_queue.retire(ls, queue.project, [task for task, kept in twins.items() if kept in held])
    return len(gone)


def drop_old_orders(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Delete the predictions that carried earlier orders of the queue; how many orders that were."""
    names = label_studio_queue.versions(ls, queue.project)
    with reading(settings) as session:
        served = number_of(session.get_one(Queue, queue.id).model_version)
    # One that is not served yet has a higher number; a learner may be putting it in place right now.
    old = [name for name in names if number_of(name) < served]
    for name in old:
        label_studio_queue.drop_version(ls, queue.project, name)
    return len(old)


def number_of(order: str) -> int:
    """The number in an order's name, 0 where it has none."""
    found = re.match(r"order-(\d+)-", order)
    return int(found[1]) if found else 0


def annotations_of(session: Session, tasks: Sequence[int]) -> list[int]:
    """Label Studio's ids of the answers on some tasks."""
    rows = select(Annotation.label_studio_id).where(Annotation.task_id.in_(tasks), aside.held())
    return [found for found in session.scalars(rows) if found is not None]


def renew_images(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Sign the addresses of open tasks' images anew where they end soon; how many."""
    with reading(settings) as session:
        rows = session.execute(
            select(Task.id, Task.label_studio_task, Asset.asset_id)
            .join(Asset, Asset.id == Task.asset_pk)
            .where(Task.queue_id == queue.id, Task.state == "open", Task.signed_until < now() + RENEW)
        ).all()
    if not rows:
        return 0
    secrets = load_secrets(settings.secrets)
    signed = {key: (task, *media_url(settings, secrets, asset_id, now())) for key, task, asset_id in rows}
    label_studio_queue.refresh_images(ls, queue.project, {task: url for task, url, _ in signed.values()})
    with writing(settings) as session:
        for key, (_, _, until) in signed.items():
            session.get_one(Task, key).signed_until = until
    return len(rows)
