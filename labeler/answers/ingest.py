"""One idempotent way in for answers: what Label Studio showed when we asked it ends in ``store``.

Readings may overlap, repeat one another, or end out of order: the one that was asked for later overrules. Nothing of
Label Studio's is taken for an identity: an answer belongs to the task with our key (or the queue and the image, for
what was made by hand), its author is known by address, and an annotation's id is an address that may be given away.
Every state ever seen is kept in ``annotation_events``.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import authors, change, exclusion, task_ids, uncounted, withdrawn
from attune.labeler.answers.annotation_values import UNKNOWN_CLASS, ReadAnnotation
from attune.labeler.answers.reading_order import Asked, has_news, was_known
from attune.labeler.attributes import revisions, shown_revision
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import (
    Annotation,
    Asset,
    Attribute,
    Expert,
    Job,
    Queue,
    Task,
    new_key,
)
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import ServiceDown
from attune.models.labels.answers import BY_HAND

log = logging.getLogger("attune.ingest")
VIA = "sync"  # the path, in an answer's history
PATIENCE = timedelta(minutes=1)  # a learn job that waits longer may be lost with its Redis, and is looked for there


def store(
    session: Session, queue: Queue, annotation: ReadAnnotation, asked: Asked, revision: int | None = None
) -> bool:
    """Bring one annotation into the records; True where it changes what a learner sees. Idempotent.

    ``asked`` is when Label Studio was asked, ``revision`` the one that the page showed, where the page says it.
    """
    change.one_writer(session, queue.attribute_id)
    task, asset = _task_of(session, queue, annotation)
    expert = authors.expert_of(session, annotation.completed_by, annotation.author)
    existing = session.scalar(select(Annotation).where(Annotation.label_studio_id == annotation.label_studio_id))
    if existing is not None and not _is_same(existing, queue, annotation, asset):
        # The other annotation is gone from this id; whether its answer is gone, its own task says.
        log.warning("annotation %s was given to another answer in Label Studio", existing.label_studio_id)
        existing.label_studio_id = None
        session.flush()
        existing = None
    value = _value_now(session, queue, annotation, existing, revision)
    reason = _reason(session, annotation, asset, expert, existing, value)
    if reason in {uncounted.EDITED, uncounted.AFTER_END} and existing is not None:
        uncounted.record_uncounted(session, queue.attribute_id, queue.expert_id, queue.project, annotation, reason)
        return False  # what the expert said last stays
    if reason:
        return _leave_out(session, queue, annotation, reason, task, existing)
    assert asset is not None
    uncounted.remove_counted(session, queue.project, annotation.label_studio_id)
    if existing is not None:
        late = has_news(session, existing, asked)  # before this reading's own line
        moved = expert is not None and existing.expert_id != expert.id
        if moved and expert is not None:
            existing.expert_id = expert.id
            change.remember(session, existing, "changed", VIA)
            change.count(session, existing.attribute_id)
        if late and was_known(session, existing, annotation.updated_at, asked):
            return moved  # an older state, even if a clock that was set back since stamps the newer one earlier
        return _update(session, existing, annotation, value, late) or moved
    assert expert is not None
    uncounted.remove_replaced(session, queue.project, annotation.asset_id)
    _create(session, queue, annotation, task or _by_hand(session, queue, annotation, asset), expert.id, value)
    return True


def _value_now(
    session: Session, queue: Queue, annotation: ReadAnnotation, existing: Annotation | None, revision: int | None
) -> str | None:
    """What an annotation says today, read as its page asked it; None where it holds no longer."""
    if existing is not None and existing.updated_at == annotation.updated_at and existing.deleted_at is None:
        # This very state was read before, maybe as its page said, and revisions have read it since.
        return existing.value
    opened = shown_revision.opened(annotation, existing)
    shown = shown_revision.at(queue, opened) if revision is None else revision
    return revisions.value_now(session, queue.attribute_id, annotation.value, opened, shown)


def _task_of(session: Session, queue: Queue, annotation: ReadAnnotation) -> tuple[Task | None, Asset | None]:
    """The question that an annotation answers, and its image; None where the records have no such thing.

    Label Studio's id of the task is not asked: it may have been another's before.
    """
    asset = session.scalar(select(Asset).where(Asset.asset_id == annotation.asset_id))
    if asset is None:
        return None, None
    task = session.scalar(select(Task).where(Task.queue_id == queue.id, Task.asset_pk == asset.id))
    if task is not None and (task.label_studio_task is None or (annotation.key and annotation.key == task.key)):
        task_ids.claim(session, task, annotation.label_studio_task)
    return task, asset


def _is_same(existing: Annotation, queue: Queue, annotation: ReadAnnotation, asset: Asset | None) -> bool:
    """Whether the records' answer with this id is the one seen: on the same image, about the same, begun at the same
    moment. Otherwise Label Studio gave the id to another annotation.
    """
    same_place = existing.attribute_id == queue.attribute_id and asset is not None and existing.asset_pk == asset.id
    return same_place and existing.answered_at == annotation.answered_at


def _reason(
    session: Session,
    annotation: ReadAnnotation,
    asset: Asset | None,
    expert: Expert | None,
    existing: Annotation | None,
    value: str | None,
) -> str:
    """Why an annotation is not counted, or an empty string."""
    if annotation.wrong or asset is None:
        return annotation.wrong or uncounted.UNKNOWN_IMAGE
    if expert is None and not (existing is not None and _is_author(session, existing, annotation)):
        return uncounted.UNKNOWN_AUTHOR
    if existing is not None and existing.value == value:
        return ""  # nothing new is said
    if annotation.edited_by is not None:
        return uncounted.EDITED
    if expert is not None and authors.answered_after_the_end(session, expert, annotation.updated_at):
        return uncounted.AFTER_END
    return ""


def _is_author(session: Session, existing: Annotation, annotation: ReadAnnotation) -> bool:
    """Whether an answer that counts is still its expert's, whose address in Label Studio may be another by now, or
    whose account there is gone.
    """
    expert = session.get_one(Expert, existing.expert_id)
    return annotation.completed_by is None or annotation.completed_by == expert.label_studio_user


def _leave_out(
    session: Session,
    queue: Queue,
    annotation: ReadAnnotation,
    reason: str,
    task: Task | None,
    existing: Annotation | None,
) -> bool:
    """Keep as a stray what is not counted; whether an answer that counted until now went with it.

    Its question does not wait at the head of the queue: Label Studio has it as answered. It may be asked again, except
    where only the class is unknown, which an owner can say the meaning of.
    """
    log.warning("annotation %d on %r left out: %s", annotation.label_studio_id, annotation.asset_id, reason)
    uncounted.record_uncounted(session, queue.attribute_id, queue.expert_id, queue.project, annotation, reason)
    changed = bool(withdrawn.withdraw(session, [existing], VIA)) if existing is not None else False
    others = select(Annotation.id).where(Annotation.deleted_at.is_(None))
    # Another task of the same image may have been put to the expert since: that one is open, and stays so.
    if (
        task is not None
        and task.label_studio_task == annotation.label_studio_task
        and session.scalar(others.where(Annotation.task_id == task.id).limit(1)) is None
    ):
        state = "answered" if reason == UNKNOWN_CLASS else "retired"
        if task.state == "open":
            change.count(session, queue.attribute_id)  # the queue is shorter: a round fills it
        task.state = state
    return changed


def _update(session: Session, existing: Annotation, annotation: ReadAnnotation, value: str | None, late: bool) -> bool:
    """``late``: the answer has news from after Label Studio was asked."""
    excluded = exclusion.is_excluded(session, existing)
    is_deleted = existing.deleted_at is not None and not excluded and not revisions.ended_by_revision(session, existing)
    if is_deleted:
        if late:
            return False
        excluded = exclusion.was_excluded(session, existing)
    elif not _is_newer(existing, annotation, value, late):
        return False
    existing.total_seconds = annotation.lead_seconds
    if excluded:
        if value is not None:
            exclusion.correct(session, existing, value, annotation.updated_at, VIA)
        return False
    changed = existing.value != value or existing.deleted_at is not None
    existing.value, existing.updated_at = value or annotation.value, annotation.updated_at
    if existing.deleted_at is not None and value is not None:  # corrected since a revision ended it
        existing.revision = session.get_one(Attribute, existing.attribute_id).revision
    existing.deleted_at = None if value is not None else existing.deleted_at or now()
    kind = revisions.LAPSED if value is None else "restored" if is_deleted else "changed"
    change.remember(session, existing, kind, VIA)
    if changed and existing.task_id:
        session.get_one(Task, existing.task_id).state = "answered" if value is not None else "retired"
    if changed:
        change.count(session, existing.attribute_id)
    return changed


def _is_newer(existing: Annotation, annotation: ReadAnnotation, value: str | None, late: bool) -> bool:
    """Whether what is seen is a later state than the one in the records.

    Label Studio's clock may have been set back between two edits. So a reading that was asked for after the last news
    counts as later, too, whatever either clock says.
    """
    if annotation.updated_at >= existing.updated_at:
        return annotation.updated_at > existing.updated_at
    return value != existing.value and not late


def _create(
    session: Session, queue: Queue, annotation: ReadAnnotation, task: Task, expert_id: int, value: str | None
) -> None:
    row = Annotation(
        label_studio_id=annotation.label_studio_id,
        attribute_id=queue.attribute_id,
        revision=session.get_one(Attribute, queue.attribute_id).revision,
        task_id=task.id,
        label_studio_task=annotation.label_studio_task,
        asset_pk=task.asset_pk,
        expert_id=expert_id,
        value=value or annotation.value,
        deleted_at=None if value is not None else now(),
        purpose=task.purpose,
        inclusion=task.inclusion,
        lead_seconds=annotation.lead_seconds if annotation.first_seconds is None else annotation.first_seconds,
        total_seconds=None if annotation.first_seconds is None else annotation.lead_seconds,
        answered_at=annotation.answered_at,
        updated_at=annotation.updated_at,
        received_at=now(),
    )
    session.add(row)
    session.flush()
    change.remember(session, row, "created" if value is not None else revisions.LAPSED, VIA)
    if value is not None:
        exclusion.set_late_aside(session, row, VIA)
    # What holds no longer may be asked once more: Label Studio has the task as answered, so it needs a new one.
    task.state = "answered" if value is not None else "retired"
    change.count(session, queue.attribute_id)


def _by_hand(session: Session, queue: Queue, annotation: ReadAnnotation, asset: Asset) -> Task:
    """A row for a task that the records lost (killed between Label Studio's import and ours) or that someone made."""
    key_in_use = bool(annotation.key) and session.scalar(select(Task.id).where(Task.key == annotation.key)) is not None
    task = Task(
        queue_id=queue.id,
        asset_pk=asset.id,
        key=new_key() if key_in_use or not annotation.key else annotation.key,
        purpose=BY_HAND,
        utility=0.0,
        reason="Somebody put this image into the queue by hand.",
        run=0,
        created_at=now(),
    )
    task_ids.claim(session, task, annotation.label_studio_task)
    session.add(task)
    session.flush()
    return task


def ask_to_learn(settings: Settings, attribute: str) -> None:
    """Enqueue a learning round unless one waits already; a lost Redis costs only time, the sweep asks again."""
    waiting = select(Job).where(Job.kind == "learn", Job.subject == attribute, Job.state == "queued")
    with reading(settings) as session:
        job = session.scalar(waiting.order_by(Job.created_at.desc()).limit(1))
    if job is not None:
        if abs(now() - job.created_at) > PATIENCE:  # later than now: a clock was set back
            jobs.send_again(settings, job)
        return
    try:
        jobs.enqueue(settings, "learn", attribute=attribute)
    except ServiceDown as error:
        log.warning("learn(%s) not enqueued: %s", attribute, error)
