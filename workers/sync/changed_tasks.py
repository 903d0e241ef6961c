"""What changed in a queue's project since it was read last, brought into the records: the part of a sync that is short.

The sync of everything and the reading that a webhook asks for both end here, and may do so at the same moment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.answers import annotation_values, ingest, task_ids, uncounted, withdrawn
from attune.labeler.answers import change as answer_changes
from attune.labeler.answers.reading_order import Asked, asked_now
from attune.labeler.attributes import revisions
from attune.labeler.label_studio import task_changes
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import key_of
from attune.labeler.label_studio.task_changes import TaskState
from attune.labeler.records.schema import Asset, Attribute, Grid, Job, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import UnknownAnnotationShape
from attune.workers.sync import upkeep

log = logging.getLogger("attune.sync")
# Label Studio stamps a change before it commits it; a change that slow is asked for again.
OVERLAP = timedelta(seconds=30)
LATE = 4 * OVERLAP  # so long after its stamp a task may be seen for the first time
SYNCS = 20  # of which one read a queue, or nobody knows when it was read


@dataclass
class Changes:
    """What a reading brought: answers that changed or could not be read, the keys of those that Label Studio holds no
    more, whether one has a class that is none of ours, and whether all tasks were compared.
    """

    changed: int = 0
    left_out: int = 0
    gone: set[int] = field(default_factory=set)
    renamed: bool = False
    compared: bool = False


def read(
    settings: Settings, ls: LabelStudio, queue: Queue, whole: bool = False, by_id: Mapping[int, str] | None = None
) -> Changes:
    """Import the tasks of a queue that changed since its last reading, or all of them. Idempotent.

    ``by_id`` are the addresses of Label Studio's users. The answers that are gone are named, not withdrawn. Raises
    LabelStudioUnreachable, LabelStudioRefused.

    A task made by hand hides from the number of tasks that another one was deleted: all are compared, then, before the
    mark moves beyond it, or a reading that is killed in between would leave that to the daily whole sync.
    """
    asked, began = asked_now(settings), read_until(settings, queue)
    since = None if whole else ask_since(began, asked.at)
    changes, newest = Changes(), began
    for state in task_changes.changed_since(ls, queue.project, since):
        import_task(settings, queue, state, asked, changes, by_id)
        if not changes.compared and _is_by_hand(settings, queue, state):
            changes.compared = is_news(state.updated_at, began, all_read_at(settings, queue, asked.at))
        newest = max(newest or state.updated_at, state.updated_at)
    if changes.compared:
        changes.gone.update(upkeep.retire_deleted(settings, ls, queue))
    record_read_until(settings, queue, began, newest, asked.at)
    return changes


def is_news(stamped: datetime, began: datetime | None, all_read: datetime | None) -> bool:
    """Whether a task of a reading that went on from ``began`` may not have been seen by the one that was asked for at
    ``all_read`` (None: nobody knows of one). Label Studio stamps one before it commits it: of two the later may have
    moved the mark already.
    """
    return began is None or all_read is None or stamped > min(began, all_read - LATE)


def all_read_at(settings: Settings, queue: Queue, asked_at: datetime) -> datetime | None:
    """When the newest sync that read the queue was asked for, at ``asked_at`` the latest; None where none is known.

    After a pause of the workers that is long ago: what Label Studio committed since was seen by no reading.
    """
    ended = select(Job.created_at, Job.result).where(Job.kind == "sync", Job.subject.is_(None), Job.state == "done")
    with reading(settings) as session:
        newest = session.execute(ended.order_by(Job.created_at.desc()).limit(SYNCS)).all()
    read = [at for at, result in newest if str(queue.project) not in result.get("failed", {})]
    return min(read[0], asked_at) if read else None


def _is_by_hand(settings: Settings, queue: Queue, state: TaskState) -> bool:
    """Whether a task is none of ours."""
    if key_of(state.data):
        return False
    with reading(settings) as session:
        known = select(Task.id).where(Task.queue_id == queue.id, Task.label_studio_task == state.id)
        return session.scalar(known.limit(1)) is None


def import_task(
    settings: Settings,
    queue: Queue,
    state: TaskState,
    asked: Asked,
    changes: Changes,
    by_id: Mapping[int, str] | None,
) -> None:
    """``record_annotations`` in a transaction of its own; one task that no one foresaw holds up no other."""
    try:
        with writing(settings) as session:
            record_annotations(session, queue, state, asked, changes, by_id)
    except (SQLAlchemyError, ValueError):
        log.exception("task %d of project %d was left out", state.id, queue.project)
        changes.left_out += 1


def read_until(settings: Settings, row: Queue | Grid) -> datetime | None:
    """The change up to which the row's project has been read, at this moment."""
    with reading(settings) as session:
        return _fresh(session, row).synced_until


def ask_since(began: datetime | None, asked_at: datetime) -> datetime | None:
    """The moment since when to ask for changes, at ``asked_at``, where all until ``began`` was read; None for all.

    A mark from later than now was made before a clock was set back: what changed since lies before it.
    """
    return None if began is None or began > asked_at else began - OVERLAP


def _fresh(session: Session, row: Queue | Grid, lock: bool = False) -> Queue | Grid:
    if isinstance(row, Queue):
        return session.get_one(Queue, row.id, with_for_update=lock)
    return session.get_one(Grid, row.id, with_for_update=lock)


def record_read_until(
    settings: Settings, row: Queue | Grid, began: datetime | None, newest: datetime | None, asked_at: datetime
) -> None:
    """Note that a reading which continued from ``began`` and was asked for at ``asked_at`` has seen ``newest``.

    Never beyond the question: a clock that was ahead for a while would hide all answers until it is as late. Where
    another reading ended meanwhile, the older of the two may have had the last word about a task, as by keeping an
    answer that is deleted by now: both stretches are read once more.
    """
    with writing(settings) as session:
        current = _fresh(session, row, lock=True)  # two that end together would both see the mark where they began
        if current.synced_until != began:
            current.synced_until = began
        elif newest is not None:
            current.synced_until = min(newest, asked_at)


def record_annotations(
    session: Session,
    queue: Queue,
    state: TaskState,
    asked: Asked,
    changes: Changes,
    by_id: Mapping[int, str] | None = None,
) -> None:
    """One task's annotations into the records; what came of it is added to ``changes``."""
    answer_changes.one_writer(session, queue.attribute_id)
    classes = revisions.every_class(session, queue.attribute_id)
    renamed = uncounted.renamed(session.get_one(Attribute, queue.attribute_id))
    _correct_task_id(session, queue, state)
    for annotation in state.annotations:
        try:
            read_annotation = annotation_values.read(annotation, state.id, state.data, classes, renamed, by_id)
        except UnknownAnnotationShape as error:
            log.warning("left out: %s", error)
            changes.left_out += 1
            continue
        changes.changed += ingest.store(session, queue, read_annotation, asked)
        changes.renamed |= read_annotation.wrong == annotation_values.UNKNOWN_CLASS
    present = [int(annotation["id"]) for annotation in state.annotations]
    uncounted.remove_absent(session, queue.project, state.id, present)
    changes.left_out += uncounted.on_task(session, queue.project, state.id)
    changes.gone.update(
        read_annotation.id for read_annotation in withdrawn.missing(session, queue, state.id, present, asked)
    )


def _correct_task_id(session: Session, queue: Queue, state: TaskState) -> None:
    """Put the address of the question right that Label Studio shows here: our key, and our image with it.

    A question that was taken for gone and waits here unanswered is open again.
    """
    _release_task_id(session, queue, state)
    key = key_of(state.data)
    if not key:
        return
    rows = select(Task, Asset).join(Asset, Asset.id == Task.asset_pk).where(Task.key == key, Task.queue_id == queue.id)
    task, asset = session.execute(rows).one_or_none() or (None, None)
    if task is None or asset is None or asset.asset_id != state.data.get("asset_id"):
        return
    task_ids.claim(session, task, state.id)
    row = session.get_one(Queue, queue.id)  # as it is now: an owner may have stopped it since
    is_asked = asset.removed_at is None and row.closed_at is None and row.stopped_at is None
    if task.state == "retired" and is_asked and not state.annotations:
        task.state = "open"


def _release_task_id(session: Session, queue: Queue, state: TaskState) -> None:
    """The question that the records have at this id is gone, where Label Studio shows another task there."""
    rows = select(Task, Asset.asset_id).join(Asset, Asset.id == Task.asset_pk)
    for task, asset_id in session.execute(rows.where(Task.label_studio_task == state.id)).all():
        where = task_ids.task_address(task, asset_id)
        if task.queue_id == queue.id and where is not None and where.is_at(state.data):
            continue
        if task.state == "open":
            answer_changes.count(session, queue.attribute_id)  # the queue is shorter: a round fills it
        task_ids.clear_id(task)
    session.flush()
