"""What the schedule looks for at each beat, in the records alone: cheap to ask, and asked again without harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from labeler import notices
from labeler.notices import News
from labeler.records.schema import (
    Alias,
    Annotation,
    Asset,
    Attribute,
    Expert,
    Job,
    Promotion,
    Queue,
    Run,
    Task,
    Version,
)
from labeler.records.session import reading
from labeler.settings import Settings
from models.clock import now
from models.manifest import CHAMPION

LATELY = timedelta(days=1)  # older events are history: a workspace that learns of notices today is not flooded
EMPTY_FOR = timedelta(minutes=15)  # rounds fill queues within seconds
SETTLED_STATES = {"settled", "exhausted"}


def watch(settings: Settings) -> int:
    """Record every notice that is due; how many were new."""
    with reading(settings) as session:
        found = [
            *settled(session),
            *moved(session),
            *drifted(session),
            *failed(session),
            *stalled(session, settings.stalled_days),
            *empty(session),
        ]
    return notices.tell(settings, found)


def page(name: str) -> str:
    """The attribute's page."""
    return f"/attributes/{name}"


def settled(session: Session) -> Iterator[News]:
    """Attributes whose newest run says that more answers would hardly change the probe; once a revision."""
    for one, run in newest_runs(session):
        if str(run.advice.get("state", "")).lower() in SETTLED_STATES and run.revision == one.revision:
            yield News(
                f"settled:{one.id}:{one.revision}", notices.SETTLED, f"{one.name} has settled",
                str(run.advice.get("advice") or "More answers would hardly change the probe."), page(one.name), one.id,
            )  # fmt: skip


def newest_runs(session: Session) -> list[tuple[Attribute, Run]]:
    """Every attribute that is asked about and its newest run, if it has one."""
    newest = select(Run.attribute_id, func.max(Run.number).label("number")).group_by(Run.attribute_id).subquery()
    rows = session.execute(
        select(Attribute, Run)
        .join(Run, Run.attribute_id == Attribute.id)
        .join(newest, and_(newest.c.attribute_id == Run.attribute_id, newest.c.number == Run.number))
        .where(Attribute.retired_at.is_(None))
    )
    return [(one, run) for one, run in rows]


def moved(session: Session) -> Iterator[News]:
    """Versions that were published, rolled back or retired within the last day."""
    words = {"promote": notices.PUBLISHED, "rollback": notices.ROLLED_BACK, "retire": notices.RETIRED}
    rows = session.execute(
        select(Promotion, Attribute.name)
        .join(Attribute, Attribute.id == Promotion.attribute_id)
        .where(Promotion.at > now() - LATELY)
    )
    for line, name in rows:
        kind = words.get(line.action, line.action)
        target = f" as {line.alias}" if line.alias else ""
        title = {
            notices.PUBLISHED: f"{name} version {line.version} was published{target}",
            notices.ROLLED_BACK: f"{name} was rolled back to version {line.version}{target}",
        }.get(kind, f"{name} version {line.version} was {kind}")
        text = f"By {line.who}: {line.reason}"
        yield News(f"move:{line.id}", kind, title, text, page(name), line.attribute_id)


def drifted(session: Session) -> Iterator[News]:
    """Champions on which a look raised the alarm; once a version."""
    rows = session.execute(
        select(Version, Attribute.name)
        .join(Attribute, Attribute.id == Version.attribute_id)
        .join(Alias, and_(Alias.attribute_id == Version.attribute_id, Alias.version == Version.version))
        .where(Alias.alias == CHAMPION, Attribute.retired_at.is_(None))
    )
    for version, name in rows:
        alarm = (version.scores.get("drift") or {}).get("alarm")
        if alarm:
            yield News(
                f"drift:{version.id}", notices.DRIFT, f"{name}: new images score otherwise than version "
                f"{version.version} was published on",
                f"Seen on {alarm['n']} new images, in {', '.join(alarm['classes'])}. A fresh audit "
                "batch measures the probe on the pool as it is now.", f"{page(name)}#h-drift", version.attribute_id,
            )  # fmt: skip


def failed(session: Session) -> Iterator[News]:
    """Jobs that failed or were lost within the last day; one notice a day for each kind and subject."""
    rows = session.execute(
        select(Job.kind, Job.subject, Job.error, Job.finished_at)
        .where(Job.state.in_(("failed", "lost")), Job.finished_at > now() - LATELY)
        .order_by(Job.finished_at)
    )
    for kind, subject, error, at in rows:
        about = f" of {subject}" if subject else ""
        yield News(
            f"job:{kind}:{subject or ''}:{at:%Y-%m-%d}", notices.FAILED, f"The job {kind}{about} failed",
            error[:1000], "/jobs?state=failed",
        )  # fmt: skip


def stalled(session: Session, days: int) -> Iterator[News]:
    """Questions that wait while nobody answers: for those who manage, and for each expert about their own queue."""
    before = now() - timedelta(days=days)
    rows = session.execute(
        select(Attribute, Queue, func.count(Task.id), func.max(Task.created_at))
        .join(Queue, Queue.attribute_id == Attribute.id)
        .join(Task, and_(Task.queue_id == Queue.id, Task.state == "open"))
        .where(Queue.closed_at.is_(None), Attribute.retired_at.is_(None))
        .group_by(Attribute.id, Queue.id)
    ).all()
    last = _last_answers(session)
    by_attribute: dict[int, list[tuple[Attribute, Queue, int]]] = {}
    for one, queue, waiting, _ in rows:
        by_attribute.setdefault(one.id, []).append((one, queue, waiting))
    for found in by_attribute.values():
        one = found[0][0]
        quiet = max(last.get((one.id, queue.expert_id)) or queue.created_at for _, queue, _ in found)
        if quiet < before:
            total = sum(waiting for _, _, waiting in found)
            yield News(
                f"stalled:{one.id}:{_stamp(quiet)}", notices.STALLED, f"{one.name}: no answer for {days} days",
                f"{total} questions wait in {len(found)} queues; the last answer came on {quiet:%d %B %Y}.",
                page(one.name), one.id,
            )  # fmt: skip
        for _, queue, waiting in found:
            since = last.get((one.id, queue.expert_id)) or queue.created_at
            if since < before:
                yield News(
                    f"waiting:{queue.id}:{_stamp(since)}", notices.WAITING, f"{waiting} images wait for you",
                    f"{one.question} Your queue has been waiting since {since:%d %B %Y}.", page(one.name), one.id,
                    queue.expert_id,
                )  # fmt: skip


def _last_answers(session: Session) -> dict[tuple[int, int], datetime]:
    rows = session.execute(
        select(Annotation.attribute_id, Annotation.expert_id, func.max(Annotation.received_at)).group_by(
            Annotation.attribute_id, Annotation.expert_id
        )
    )
    return {(attribute, expert): at for attribute, expert, at in rows}


def empty(session: Session) -> Iterator[News]:
    """Open queues that have been empty for a while although the pool holds images that the queue never had."""
    pool = session.scalar(select(func.count(Asset.id)).where(Asset.removed_at.is_(None))) or 0
    waiting = func.sum(case((Task.state == "open", 1), else_=0))
    rows = session.execute(
        select(Queue, Attribute, Expert, func.count(Task.id), waiting)
        .join(Attribute, Attribute.id == Queue.attribute_id)
        .join(Expert, Expert.id == Queue.expert_id)
        .outerjoin(Task, Task.queue_id == Queue.id)
        .where(Queue.closed_at.is_(None), Attribute.retired_at.is_(None), Expert.removed_at.is_(None))
        .group_by(Queue.id, Attribute.id, Expert.id)
    ).all()
    last = _last_answers(session) if rows else {}
    for queue, one, expert, ever, left in rows:
        since = max(filter(None, (last.get((one.id, expert.id)), queue.ordered_at, queue.created_at)))
        if not left and ever < pool and since < now() - EMPTY_FOR:
            yield News(
                f"empty:{queue.id}:{_stamp(since)}", notices.EMPTY, f"{one.name}: an expert's queue is empty",
                f"{expert.name} has nothing left to answer, and the pool holds images that were never asked. Fill it: "
                f"attune batch {one.name} --size 40", page(one.name), one.id,
            )  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"
