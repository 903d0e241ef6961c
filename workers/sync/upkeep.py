"""What a sync keeps in order beside the answers: deleted tasks, duplicates, old orders, images' addresses, classes."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import change as answer_changes
from attune.labeler.answers import exclusion, task_ids, uncounted, withdrawn
from attune.labeler.assets.media import media_url
from attune.labeler.attributes import shown_revision
from attune.labeler.label_studio import projects, task_changes
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import KEY
from attune.labeler.records.schema import Annotation, Asset, Attribute, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused

log = logging.getLogger("attune.sync")
RENEW = timedelta(days=2)  # an image's address that ends sooner is signed again
FEW = 5  # so many answers may vanish at once without a doubt
AT_ONCE = 500  # conditions in one question to the database


def recorded_task_counts(settings: Settings, queues: Sequence[Queue]) -> dict[int, int]:
    """How many tasks the records know of in each queue's project, by the queue's id."""
    counted = (
        select(Task.queue_id, func.count())
        .where(Task.queue_id.in_([queue.id for queue in queues]), Task.label_studio_task.is_not(None))
        .group_by(Task.queue_id)
    )
    with reading(settings) as session:
        task_counts = dict(session.execute(counted).all())
    return {queue.id: task_counts.get(queue.id, 0) for queue in queues}


def retire_deleted(settings: Settings, ls: LabelStudio, queue: Queue) -> list[int]:
    """Retire the questions that someone deleted in Label Studio; the keys of the answers that went with them.

    What the project holds beyond the records' tasks is noted, so that the next difference shows in the number alone.
    """
    with reading(settings) as session:
        # One made while Label Studio answers is not missing.
        candidates = set(session.scalars(select(Task.id).where(Task.queue_id == queue.id)))
    there = task_changes.tasks_of(ls, queue.project)
    with writing(settings) as session:
        vanished = _vanished(session, queue, candidates, set(there))
        standing = 0
        for task, asset_id in session.execute(_tasks(queue)).all():
            where = task_ids.task_address(task, asset_id)
            standing += where is not None
            if task.id in candidates and where is not None and not where.is_at(there.get(where.task, {KEY: "gone"})):
                standing -= 1
                if task.state == "open":
                    answer_changes.count(session, queue.attribute_id)  # the queue is shorter: a round fills it
                task_ids.clear_id(task)
        uncounted.remove_vanished(session, queue.project, set(there))
        session.get_one(Queue, queue.id).surplus = len(there) - standing
    return vanished


def withdraw_gone(
    settings: Settings, queue: Queue, deleted: Collection[int], whole: bool, accept: bool
) -> tuple[int, str]:
    """Mark as deleted the answers ``deleted`` (keys) that Label Studio holds no more; how many, and why not, if so.

    Where most of a queue's answers would go at once, nothing is done unless someone says to ``accept`` it: that is a
    lost or exchanged Label Studio, not an edit, and the records may be all that is left of the answers.
    """
    if not deleted:
        if whole and queue.kept:  # they are back
            with writing(settings) as session:
                session.get_one(Queue, queue.id).kept = 0
        return 0, ""
    with writing(settings) as session:
        mine = select(Annotation).join(Task, Task.id == Annotation.task_id).where(Task.queue_id == queue.id)
        total = (
            session.scalar(select(func.count()).select_from(mine.where(exclusion.kept_in_label_studio()).subquery()))
            or 0
        )
        row = session.get_one(Queue, queue.id)
        row.kept = len(deleted) if len(deleted) > max(FEW, total // 2) and not accept else 0
        if row.kept:
            name = session.get_one(Attribute, queue.attribute_id).name
            log.error(
                "%d of %d answers of queue %d are gone from Label Studio; kept here", len(deleted), total, queue.id
            )
            return 0, (
                f"{len(deleted)} of {total} answers to {name} were deleted in project {queue.project} of Label "
                "Studio. Attune keeps them. Restore Label Studio's database. If they were deleted on purpose: "
                f"`attune sync {name} --all --accept-deleted`"
            )
        keys = list(deleted)
        for start in range(0, len(keys), AT_ONCE):
            some = session.scalars(select(Annotation).where(Annotation.id.in_(keys[start : start + AT_ONCE]))).all()
            withdrawn.withdraw(session, some, "sync")
    return len(deleted), ""


def _tasks(queue: Queue) -> Any:
    return select(Task, Asset.asset_id).join(Asset, Asset.id == Task.asset_pk).where(Task.queue_id == queue.id)


def _vanished(session: Session, queue: Queue, candidates: set[int], there: set[int]) -> list[int]:
    """The keys of the answers whose task in Label Studio is gone."""
    rows = select(Annotation.id, Annotation.task_id, Annotation.label_studio_task).join(
        Task, Task.id == Annotation.task_id
    )
    placed = rows.where(
        Task.queue_id == queue.id, exclusion.kept_in_label_studio(), Annotation.label_studio_task.is_not(None)
    )
    return [key for key, task, at in session.execute(placed) if task in candidates and at not in there]


def delete_duplicates(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Delete untouched second tasks of an image that the queue holds already, or its expert would see it twice; how
    many. Two learners at once can leave one, of which only one is in the records.
    """
    with reading(settings) as session:
        is_served = (Task.state != "retired", Task.label_studio_task.is_not(None))
        kept_tasks = {
            asset_id: task.label_studio_task for task, asset_id in session.execute(_tasks(queue).where(*is_served))
        }
    untouched = task_changes.untouched(ls, queue.project)
    twins = [one for one in untouched if one.asset_id in kept_tasks and one.task != kept_tasks[one.asset_id]]
    there = task_changes.tasks_of(ls, queue.project) if twins else {}
    deleted = label_studio_queue.retire(ls, queue.project, [one for one in twins if kept_tasks[one.asset_id] in there])
    return len(deleted)


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


def renew_images(settings: Settings, ls: LabelStudio, queue: Queue) -> int:
    """Sign the addresses of open tasks' images again where they end soon; how many."""
    soon = (Task.state == "open", Task.label_studio_task.is_not(None), Task.signed_until < now() + RENEW)
    with reading(settings) as session:
        rows = session.execute(_tasks(queue).where(*soon)).all()
        where = {
            task.id: task_id
            for task, asset_id in rows
            if (task_id := task_ids.task_address(task, asset_id)) is not None
        }
    if not where:
        return 0
    secrets = load_secrets(settings.secrets)
    signed = {key: media_url(settings, secrets, address.asset_id, now()) for key, address in where.items()}
    done = label_studio_queue.refresh_images(ls, queue.project, {where[key]: url for key, (url, _) in signed.items()})
    with writing(settings) as session:
        for key, (_, until) in signed.items():
            if where[key].task in done:
                session.get_one(Task, key).signed_until = until
            else:
                answer_changes.count(session, queue.attribute_id)  # the queue is shorter: a round fills it
                task_ids.clear_id(session.get_one(Task, key))
    return len(done)


def restore_classes(settings: Settings, ls: LabelStudio, queue: Queue) -> bool:
    """Give the labelling page its own question and classes back where someone edited them in Label Studio."""
    with reading(settings) as session:
        attribute = session.get_one(Attribute, queue.attribute_id)
    try:
        changed = projects.restore_classes(ls, queue.project, attribute.question, attribute.classes)
    except (
        LabelStudioRefused
    ) as error:  # an answer there is of a form that fits no page; the others are read all the same
        log.warning("the classes of project %d cannot be restored: %s", queue.project, error)
        return False
    if changed:
        with writing(settings) as session:
            shown_revision.note(session, queue.id, attribute.revision)
        log.warning("the classes of project %d were edited in Label Studio; %s has its own again", queue.project,
                    attribute.name)  # fmt: skip
    return changed
