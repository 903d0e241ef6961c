"""The job `sync`: what Label Studio really holds, brought into the records. The webhook is only a hint of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from labeler import addresses, attributes, ingest, revisions, seen, strays, withdrawn
from labeler.jobs import Report
from labeler.label_studio import changes, people
from labeler.label_studio.address import KEY
from labeler.label_studio.changes import TaskState
from labeler.label_studio.client import LabelStudio
from labeler.records.schema import Attribute, Queue, Task
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import LabelStudioRefused, UnknownAnnotationShape
from workers import grids, identity, upkeep
from workers.grids import FAREWELL

log = logging.getLogger("attune.sync")
# Label Studio stamps a change before it commits it; a change that slow is asked for again.
OVERLAP = timedelta(seconds=30)
COUNTED = ("changed", "deleted", "left_out")


def run(settings: Settings, report: Report, attribute: str | None = None, whole: bool = False) -> dict[str, Any]:
    """Read what changed in the queues of ``attribute`` (None: all) since the last sync, and ask to learn from it.

    Of a leaver's queue the last answers may still be on their way: it is read for another day.

    ``whole`` compares all tasks. Idempotent. A queue that cannot be read, or whose project is another's, does not stop
    the others: it is named under "failed". "strays" names the answers that count nowhere, and why. Raises
    UnknownAttribute, LabelStudioUnreachable.
    """
    ls = LabelStudio.connect(settings)
    waiting = open_queues(settings, attribute)
    told = dict.fromkeys(("queues", *COUNTED), 0)
    checked = identity.check(settings, ls, waiting)
    by_id = people.addresses(ls)
    changed: set[int] = set()
    failed = dict(checked.failed)
    for number, queue in enumerate(waiting):
        report(number, len(waiting))
        if queue.project not in checked.tasks:
            continue
        try:
            found = one_queue(settings, ls, queue, whole, checked.tasks[queue.project], by_id)
        except LabelStudioRefused as error:
            log.error("queue %d (project %d) could not be read: %s", queue.id, queue.project, error)
            failed[str(queue.project)] = str(error)
            continue
        told["queues"] += 1
        for key in COUNTED:
            told[key] += found[key]
        if found["changed"] or found["deleted"]:
            changed.add(queue.attribute_id)
    only = waiting[0].attribute_id if attribute is not None and waiting else None
    changed |= grids.sync(settings, ls, only, whole, told, failed, by_id)
    report(len(waiting), len(waiting))
    for name in names(settings, changed):
        ingest.ask_to_learn(settings, name)
    left = [one.to_dict() for one in strays.of(settings, attribute)]
    return {**told, "attributes": names(settings, changed), "failed": failed, "strays": left}


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


def one_queue(
    settings: Settings,
    ls: LabelStudio,
    queue: Queue,
    whole: bool = False,
    tasks: int | None = None,
    by_id: Mapping[int, str] | None = None,
) -> dict[str, int]:
    """Bring one queue's changes in; how many answers changed, were deleted, and could not be read.

    ``tasks`` is how many tasks the project holds. Where the records know of more, some were deleted by hand, which no
    other question would tell. ``by_id`` are the addresses of Label Studio's users.
    """
    asked_at = now()
    since = None if whole or queue.synced_until is None else queue.synced_until - OVERLAP
    told = dict.fromkeys(COUNTED, 0)
    newest = queue.synced_until
    renamed = False
    for state in changes.changed_since(ls, queue.project, since):
        with writing(settings) as session:
            renamed |= take(session, queue, state, asked_at, told, by_id)
        newest = max(newest or state.updated_at, state.updated_at)
    if newest is not None:
        # Never beyond the question: a clock that was ahead for a while would hide all answers until it is as late.
        with writing(settings) as session:
            session.get_one(Queue, queue.id).synced_until = min(newest, asked_at)
    if whole or (tasks is not None and tasks < upkeep.recorded(settings, queue)):
        told["deleted"] += upkeep.forget_deleted(settings, ls, queue)
    if whole:
        upkeep.drop_twins(settings, ls, queue)
        upkeep.drop_old_orders(settings, ls, queue)
    if queue.closed_at is None:
        upkeep.renew_images(settings, ls, queue)
        if whole or renamed:
            upkeep.restore_classes(settings, ls, queue)
    return told


def take(
    session: Session,
    queue: Queue,
    state: TaskState,
    asked_at: datetime,
    told: dict[str, int],
    by_id: Mapping[int, str] | None = None,
) -> bool:
    """One task's annotations into the records; adds to ``told``. True where one has a class that is none of ours."""
    classes = revisions.every_class(session, queue.attribute_id)
    renamed = strays.renamed(session.get_one(Attribute, queue.attribute_id))
    _meet(session, queue, state)
    unknown = False
    for annotation in state.annotations:
        try:
            found = seen.read(annotation, state.id, state.data, classes, renamed, by_id)
        except UnknownAnnotationShape as error:
            log.warning("left out: %s", error)
            told["left_out"] += 1
            continue
        told["changed"] += ingest.store(session, queue, found, "sync", asked_at)
        unknown |= found.wrong == seen.UNKNOWN_CLASS
    present = [int(annotation["id"]) for annotation in state.annotations]
    strays.forget(session, queue.project, state.id, present)
    told["left_out"] += strays.on_task(session, queue.project, state.id)
    gone = withdrawn.missing(session, queue, state.id, present, asked_at)
    told["deleted"] += len(gone)
    withdrawn.withdraw(session, gone, "sync")
    return unknown


def _meet(session: Session, queue: Queue, state: TaskState) -> None:
    """Put the address of the question right that Label Studio shows here, and of the one that stood here before."""
    key = str(state.data.get(KEY) or "")
    found = session.scalar(select(Task).where(Task.key == key, Task.queue_id == queue.id)) if key else None
    if found is not None:
        addresses.claim(session, found, state.id)
