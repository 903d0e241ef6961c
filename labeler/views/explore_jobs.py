"""The job that a page of Explore waits for: how far it is, or why the last one failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

AT_WORK = ("queued", "running")


@dataclass(frozen=True)
class Progress:
    """The newest job of some kinds: ``waits`` while it is queued or running; ``error`` where it failed."""

    waits: bool
    running: bool = False
    done: int = 0
    total: int = 0
    error: str = ""


def progress(session: Session, kinds: Sequence[str]) -> Progress:
    """How far the job of ``kinds`` is that is at work, or how the newest ended."""
    mine = select(Job).where(Job.kind.in_(kinds))
    at_work = mine.where(Job.state.in_(AT_WORK)).order_by(Job.state.desc(), Job.created_at)  # a running one first
    if found := session.scalar(at_work.limit(1)):
        return Progress(True, found.state == "running", found.done, found.total)
    last = session.scalar(mine.order_by(Job.created_at.desc()).limit(1))
    failed = last is not None and last.state in ("failed", "lost")
    return Progress(False, error=failures.shown(last.id, last.error) if last is not None and failed else "")


def waiting(settings: Settings, kind: str) -> bool:
    """Whether a job of ``kind`` is at work or waits."""
    with reading(settings) as session:
        return progress(session, (kind,)).waits
