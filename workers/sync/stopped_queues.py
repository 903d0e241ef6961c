"""Take what a stopped queue gave back out of Label Studio, but for what may be on a screen at the stop.

Also what it gave back and nobody took out before it was started again: a Label Studio without our page would go on to
ask it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select

from attune.labeler.answers import task_ids
from attune.labeler.label_studio import queue_tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import Address
from attune.labeler.queues import grids
from attune.labeler.queues.stopping import GRACE
from attune.labeler.records.schema import Annotation, Asset, Grid, Queue, Stray, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.rounds.apply_order import may_be_on_screen, newest_answer


def take_back(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Delete the open tasks and pages of a stopped queue in Label Studio, and of one that is started what still stands
    there from the stop before; how many.

    What may be on a screen stays for `GRACE` after the stop, so that an answer on its way finds its task; what was
    begun or answered there stays in any case. Nothing is asked of Label Studio once all are gone.
    """
    with reading(settings) as session:
        stopped_at = session.get_one(Queue, queue.id).stopped_at
        rows = select(Task, Asset.asset_id).join(Asset, Asset.id == Task.asset_pk)
        here = (Task.queue_id == queue.id, Task.label_studio_task.is_not(None))
        which = (Task.state != "answered",) if stopped_at is not None else (Task.state == "retired", ~_is_answered())
        found = session.execute(rows.where(*here, *which)).all()
    if not found and stopped_at is None:
        return 0
    is_over = stopped_at is not None and abs(now() - stopped_at) > GRACE  # before it: a clock was set back
    newest = None if is_over else newest_answer(settings, queue)
    stale: list[Address] = []
    for task, asset_id in found:
        address = task_ids.task_address(task, asset_id)
        if address is not None and (is_over or not may_be_on_screen(task.offered_at, newest)):
            stale.append(address)
    gone = queue_tasks.retire(ls, queue.project, stale)
    with writing(settings) as session:
        task_ids.clear_deleted(session, stale, gone)
    if not is_over:
        return len(gone)
    mine = (Grid.attribute_id == queue.attribute_id, Grid.expert_id == queue.expert_id)
    return len(gone) + grids.retire_pages(settings, ls, *mine)


def _is_answered() -> ColumnElement[bool]:
    """The condition on ``Task`` that Label Studio holds something of it, if only what does not count."""
    kept = exists().where(Annotation.label_studio_task == Task.label_studio_task)
    return kept | exists().where(
        Stray.project == Queue.project, Queue.id == Task.queue_id, Stray.label_studio_task == Task.label_studio_task
    )
