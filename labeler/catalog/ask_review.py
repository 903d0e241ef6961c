"""Who measures a review that a page needs: a worker is asked, once, and after a failure not before a rest."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

KIND = "review"
AGAIN = timedelta(
    minutes=10
)  # after a job that failed or was lost, for want of memory say: what stopped it rarely ends by itself


def ask(settings: Settings, name: str, candidate: str, column: str = "", class_name: str = "") -> str:
    """Have a worker measure ``candidate`` of ``name``, unless one is at it.

    Returns why the newest job failed, where it is too soon for another; else nothing. Raises ServiceDown.
    """
    with reading(settings) as session:
        mine = select(Job).where(Job.kind == KIND, Job.subject == name)
        if session.scalar(mine.where(Job.state.in_(("queued", "running"))).limit(1)) is not None:
            return ""
        last = session.scalar(mine.order_by(Job.created_at.desc()).limit(1))
        if (
            last is not None
            and last.state in ("failed", "lost")
            and (last.finished_at or last.created_at) > now() - AGAIN
        ):
            return last.error or "The worker stopped."
    jobs.enqueue(settings, KIND, attribute=name, candidate=candidate, column=column, class_name=class_name)
    return ""
