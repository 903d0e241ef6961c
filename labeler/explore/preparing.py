"""Who prepares a large pool for *Similar*: a worker is asked, once, and after a failure not before a rest."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces.towers import KIND
from attune.models.clock import now
from attune.models.errors import NotPrepared, PoolError

AGAIN = timedelta(minutes=10)  # after a job that failed: what stopped it rarely ends by itself


def failed_lately(session: Session) -> str | None:
    """Why the newest ended job failed, where that was less than `AGAIN` ago; else None."""
    ended = select(Job.state, Job.error, Job.finished_at).where(Job.kind == KIND, Job.finished_at.is_not(None))
    last = session.execute(ended.order_by(Job.finished_at.desc()).limit(1)).first()
    if last is None or last.state == "done" or last.finished_at < now() - AGAIN:
        return None
    return last.error or "The worker stopped."


def ask(settings: Settings) -> str | None:
    """Have a worker prepare the pool now, unless one is at it: the scheduler may not have seen the change yet.

    Returns why the last job failed, where it is too soon for another; else None. Raises ServiceDown.
    """
    with reading(settings) as session:
        mine = Job.kind == KIND, Job.state.in_(("queued", "running"))
        if session.scalar(select(Job.id).where(*mine).limit(1)):
            return None
        if (error := failed_lately(session)) is not None:
            return error
    jobs.enqueue(settings, KIND)
    return None


def missing(images: int, error: str | None) -> PoolError:
    """What to raise where nothing is prepared: that a worker is at it, or the ``error`` that stopped the last one."""
    if error is not None:
        return PoolError(
            f"A worker could not prepare the pool's {images:,} images for this: {error} A worker tries again after "
            f"{AGAIN.seconds // 60} minutes."
        )
    return NotPrepared(
        f"A worker is preparing the pool's {images:,} images for this, because something changed. Try again in half a "
        "minute."
    )
