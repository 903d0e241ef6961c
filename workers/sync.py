"""The job `sync`: what Label Studio really holds, brought into the records. The webhook is only a hint of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from labeler import addresses, attributes, ingest, mending, revisions, seen, strays, withdrawn
from labeler import changes as answer_changes
from labeler.jobs import Report
from labeler.label_studio import changes, people
from labeler.label_studio.address import key_of
from labeler.label_studio.changes import TaskState
from labeler.label_studio.client import LabelStudio
from labeler.records.schema import Asset, Attribute, Queue, Task
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.clock import now
from models.errors import LabelStudioRefused, UnknownAnnotationShape
from workers import grids, identity, membership, upkeep
from workers.grids import FAREWELL

log = logging.getLogger("attune.sync")
# Label Studio stamps a change before it commits it; a change that slow is asked for again.
OVERLAP = timedelta(seconds=30)
COUNTED = ("changed", "deleted", "left_out")


def run(
    settings: Settings, report: Report, attribute: str | None = None, whole: bool = False, accept_deleted: bool = False
) -> dict[str, Any]:
    """Read what changed in the queues of ``attribute`` (None: all) since the last sync, and ask to learn from it.

    Of a leaver's queue the last answers may still be on their way: it is read for another day.

    ``whole`` compares all tasks. Where most of a queue's answers are gone from Label Studio they are kept, unless
    ``accept_deleted``. Idempotent. A queue that cannot be read, or whose project is another's, does not stop the
    others: it is named under "failed". "strays" counts the answers that count nowhere, by reason. Raises
    UnknownAttribute, LabelStudioUnreachable.
    """
    ls = LabelStudio.connect(settings)
    waiting = open_queues(settings, attribute)
    told = dict.fromkeys(("queues", *COUNTED), 0)
    checked = identity.check(settings, ls, waiting)
    for queue in waiting:
        if queue.id in checked.moved:
            mending.mend(settings, ls, queue)
    membership.agree(settings, ls, [queue for queue in waiting if queue.id in checked.tasks])
    recorded = upkeep.recorded(settings, waiting)
    by_id = people.addresses(ls)
    changed: set[int] = set()
    failed = dict(checked.failed)
    for number, queue in enumerate(waiting):
        report(number, len(waiting))
        if queue.id not in checked.tasks:
            continue
        differs = checked.tasks[queue.id] != recorded[queue.id] + queue.surplus
        try:
            found = one_queue(settings, ls, queue, whole, differs, by_id, accept_deleted, failed)
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
    return {**told, "attributes": names(settings, changed), "failed": failed, "strays": _strays(settings, attribute)}


def _strays(settings: Settings, attribute: str | None) -> dict[str, int]:
    """How many answers of one attribute, or of all, count nowhere, by reason."""
    left: Counter[str] = Counter()
    with reading(settings) as session:
        only = None if attribute is None else attributes.find(session, attribute).id
        for (key, reason), count in strays.counts(session).items():
            left[reason] += count if only in {None, key} else 0
    return dict(+left)


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
    differs: bool = False,
    by_id: Mapping[int, str] | None = None,
    accept_deleted: bool = False,
    failed: dict[str, str] | None = None,
) -> dict[str, int]:
    """Bring one queue's changes in; how many answers changed, were deleted, and could not be read.

    ``differs``: the project holds another number of tasks than expected, as some were deleted or made by hand, which no
    other question would tell. ``by_id`` are the addresses of Label Studio's users. What is wrong goes into ``failed``.
    """
    asked_at = now()
    since = None if whole or queue.synced_until is None else queue.synced_until - OVERLAP
    told = dict.fromkeys(COUNTED, 0)
    newest = queue.synced_until
    gone: set[int] = set()
    renamed = False
    for state in changes.changed_since(ls, queue.project, since):
        try:
            with writing(settings) as session:
                renamed |= take(session, queue, state, asked_at, told, gone, by_id)
        except (SQLAlchemyError, ValueError):  # one task that nobody foresaw holds up no other
            log.exception("task %d of project %d was left out", state.id, queue.project)
            told["left_out"] += 1
        newest = max(newest or state.updated_at, state.updated_at)
    if newest is not None:
        # Never beyond the question: a clock that was ahead for a while would hide all answers until it is as late.
        with writing(settings) as session:
            session.get_one(Queue, queue.id).synced_until = min(newest, asked_at)
    if whole or differs:
        gone.update(upkeep.compare(settings, ls, queue))
    told["deleted"], why = upkeep.withdraw_gone(settings, queue, gone, whole, accept_deleted)
    if why and failed is not None:
        failed[str(queue.project)] = why
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
    gone: set[int],
    by_id: Mapping[int, str] | None = None,
) -> bool:
    """One task's annotations into the records; adds to ``told``, and to ``gone`` the keys of the answers that it holds
    no more. True where one has a class that is none of ours.
    """
    answer_changes.one_writer(session, queue.attribute_id)
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
    gone.update(one.id for one in withdrawn.missing(session, queue, state.id, present, asked_at))
    return unknown


def _meet(session: Session, queue: Queue, state: TaskState) -> None:
    """Put the address of the question right that Label Studio shows here: our key, and our image with it.

    A question that was taken for gone and waits here unanswered is open again.
    """
    _leave_stranger(session, queue, state)
    key = key_of(state.data)
    if not key:
        return
    rows = select(Task, Asset).join(Asset, Asset.id == Task.asset_pk).where(Task.key == key, Task.queue_id == queue.id)
    task, asset = session.execute(rows).one_or_none() or (None, None)
    if task is None or asset is None or asset.asset_id != state.data.get("asset_id"):
        return
    addresses.claim(session, task, state.id)
    asked = asset.removed_at is None and queue.closed_at is None
    if task.state == "retired" and asked and not state.annotations:
        task.state = "open"


def _leave_stranger(session: Session, queue: Queue, state: TaskState) -> None:
    """The question that the records have at this id is gone, where Label Studio shows another task there."""
    rows = select(Task, Asset.asset_id).join(Asset, Asset.id == Task.asset_pk)
    for task, asset_id in session.execute(rows.where(Task.label_studio_task == state.id)).all():
        where = addresses.of(task, asset_id)
        if task.queue_id == queue.id and where is not None and where.is_at(state.data):
            continue
        if task.state == "open":
            answer_changes.count(session, queue.attribute_id)  # the queue is shorter: a round fills it
        addresses.leave(task)
    session.flush()
