"""The job `sync`: what Label Studio really holds, brought into the records, and kept in order there."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import or_, select

from attune.labeler.answers import ingest, uncounted
from attune.labeler.attributes import attributes
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio import accounts, projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Listed
from attune.labeler.queues import repair
from attune.labeler.records.schema import Attribute, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused
from attune.workers.jobs import make_grids
from attune.workers.jobs.make_grids import FAREWELL
from attune.workers.sync import changed_tasks, membership, project_identity, stopped_queues, upkeep
from attune.workers.sync.answer_totals import Totals

log = logging.getLogger("attune.sync")
COUNTED = ("changed", "deleted", "left_out")


def run(
    settings: Settings, report: Report, attribute: str | None = None, whole: bool = False, accept_deleted: bool = False
) -> dict[str, Any]:
    """Read what changed in the queues of ``attribute`` (None: all) since the last sync, and ask to learn from it.

    Of a leaver's queue the last answers may still be on their way: it is read for another day.

    ``whole`` compares all tasks. Where most of a queue's answers are gone from Label Studio they are kept, unless
    ``accept_deleted``. Idempotent. A queue that cannot be read, or whose project is another's, does not stop the
    others: it is named under "failed". "strays" counts the uncounted answers, by reason. Raises
    UnknownAttribute, LabelStudioUnreachable.
    """
    ls = LabelStudio.connect(settings)
    waiting = open_queues(settings, attribute)
    counts = dict.fromkeys(("queues", *COUNTED), 0)
    there = projects.list_projects(ls)
    checked = _checked(settings, ls, waiting, there)
    recorded = upkeep.recorded_task_counts(settings, waiting)
    by_id = accounts.addresses(ls)
    touched: set[int] = set()
    failed = dict(checked.failed)
    read = partial(one_queue, settings, ls, by_id=by_id, accept_deleted=accept_deleted, failed=failed)
    for number, queue in enumerate(waiting):
        report(number, len(waiting))
        if queue.id not in checked.tasks:
            continue
        totals = Totals(settings, ls, queue, there.get(queue.project))
        differs = checked.tasks[queue.id] != recorded[queue.id] + queue.surplus
        try:
            queue_counts = _read(read, totals, queue, whole, differs)
        except LabelStudioRefused as error:
            log.error("queue %d (project %d) could not be read: %s", queue.id, queue.project, error)
            failed[str(queue.project)] = str(error)
            continue
        counts["queues"] += 1
        for key in COUNTED:
            counts[key] += queue_counts[key]
        if queue_counts["changed"] or queue_counts["deleted"]:
            touched.add(queue.attribute_id)
    only = waiting[0].attribute_id if attribute is not None and waiting else None
    touched |= make_grids.sync(settings, ls, only, whole, counts, failed, by_id, there)
    report(len(waiting), len(waiting))
    names, strays = attribute_names(settings, touched), _uncounted_counts(settings, attribute)
    for name in names:
        ingest.ask_to_learn(settings, name)
    return {**counts, "attributes": names, "failed": failed, "strays": strays}


def _read(
    read: Callable[..., dict[str, int]], totals: Totals, queue: Queue, whole: bool, differs: bool
) -> dict[str, int]:
    """`one_queue`, and once more with all tasks where the numbers of answers then differ."""
    counts = read(queue, whole=whole, differs=differs)
    if not whole and totals.differ():
        again, whole = read(queue, whole=True), True
        counts = {key: counts[key] + again[key] for key in ("changed", "deleted")} | {"left_out": again["left_out"]}
    if whole:
        totals.note()
    return counts


def _checked(
    settings: Settings, ls: LabelStudio, waiting: list[Queue], there: Mapping[int, Listed]
) -> project_identity.Checked:
    """Which projects are still the queues' own; what moved is repaired, and who may enter is put right."""
    checked = project_identity.check(settings, ls, waiting, there)
    for queue in waiting:
        if queue.id in checked.moved:
            repair.repair_queue(settings, ls, queue)
    membership.correct_members(settings, ls, [queue for queue in waiting if queue.id in checked.tasks])
    return checked


def _uncounted_counts(settings: Settings, attribute: str | None) -> dict[str, int]:
    """How many answers of one attribute, or of all, are not counted, by reason."""
    uncounted_answers: Counter[str] = Counter()
    with reading(settings) as session:
        only = None if attribute is None else attributes.find(session, attribute).id
        for (key, reason), count in uncounted.counts(session).items():
            uncounted_answers[reason] += count if only in {None, key} else 0
    return dict(+uncounted_answers)


def open_queues(settings: Settings, attribute: str | None) -> list[Queue]:
    """The queues to read, oldest first."""
    with reading(settings) as session:
        is_readable = or_(Queue.closed_at.is_(None), Queue.closed_at > now() - FAREWELL)
        query = select(Queue).where(is_readable).order_by(Queue.id)
        if attribute is not None:
            query = query.where(Queue.attribute_id == attributes.find(session, attribute).id)
        return list(session.scalars(query))


def attribute_names(settings: Settings, keys: set[int]) -> list[str]:
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
    changes = changed_tasks.read(settings, ls, queue, whole, by_id)
    counts = {"changed": changes.changed, "left_out": changes.left_out}
    if (whole or differs) and not changes.compared:
        changes.gone.update(upkeep.retire_deleted(settings, ls, queue))
    counts["deleted"], why = upkeep.withdraw_gone(settings, queue, changes.gone, whole, accept_deleted)
    if why and failed is not None:
        failed[str(queue.project)] = why
    if whole:
        upkeep.delete_duplicates(settings, ls, queue)
        upkeep.drop_old_orders(settings, ls, queue)
    if queue.stopped_at is not None or queue.closed_at is None:
        stopped_queues.take_back(settings, ls, queue)
    if queue.closed_at is None:
        upkeep.renew_images(settings, ls, queue)
        if whole or changes.renamed:
            upkeep.restore_classes(settings, ls, queue)
    return counts
