"""Ask for a job that a page needs: once, and after a failure not before a rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

AGAIN = timedelta(minutes=10)  # after a job that failed or was lost: what stopped it rarely ends by itself


def failed_lately(session: Session, kind: str, attribute: str | None = None) -> str | None:
    """Why the newest ended job failed, where that was less than `AGAIN` ago; else None."""
    ended = select(Job.state, Job.error, Job.finished_at).where(*_these(kind, attribute), Job.finished_at.is_not(None))
    last = session.execute(ended.order_by(Job.finished_at.desc()).limit(1)).first()
    if last is None or last.state == "done" or last.finished_at < now() - AGAIN:
        return None
    return last.error or "The worker stopped."


def ask_once(settings: Settings, kind: str, attribute: str | None = None, **arguments: Any) -> str | None:
    """Have a worker do the job ``kind``, of ``attribute`` if it is of one, unless such a job waits or runs.

    Returns why the last one failed, where it is too soon for another; else None. Raises ServiceDown.
    """
    with reading(settings) as session:
        open_ = Job.state.in_(("queued", "running"))
        if session.scalar(select(Job.id).where(*_these(kind, attribute), open_).limit(1)):
            return None
        if (error := failed_lately(session, kind, attribute)) is not None:
            return error
    whose = {} if attribute is None else {"attribute": attribute}
    jobs.enqueue(settings, kind, **whose, **arguments)
    return None


def _these(kind: str, attribute: str | None) -> tuple[ColumnElement[bool], ...]:
    return (Job.kind == kind,) if attribute is None else (Job.kind == kind, Job.subject == attribute)
