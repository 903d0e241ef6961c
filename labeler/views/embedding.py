"""Images that have no vector yet: how many the workers still have to look at, as pages say it that wait for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_jobs import AT_WORK

KIND = "embed"
BRINGING = ("upload", "encoder")  # jobs that end with a job of ``KIND``


@dataclass(frozen=True)
class Embedding:
    """``images`` still to be embedded, 0 where no job says how many; ``coming``: some are.

    ``empty``: the pool has no images at all; ``workers``: one is there to embed them.
    """

    images: int = 0
    coming: bool = False
    empty: bool = False
    workers: bool = True


def embedding(settings: Settings) -> Embedding:
    """How far the vectors of the pool are, from the jobs that are queued or running."""
    with reading(settings) as session:
        left = _left(session)
        bringing = session.scalar(select(Job.id).where(Job.kind.in_(BRINGING), Job.state.in_(AT_WORK)).limit(1))
        first = session.scalar(select(Asset.id).where(Asset.removed_at.is_(None)).limit(1))
    coming = bool(left or bringing)
    return Embedding(sum(left), coming, first is None, not coming or jobs.workers_alive(settings, KIND))


def _left(session: Session) -> list[int]:
    """Images that each job at work has not embedded yet; at least one, as its end is still to come."""
    at_work = select(Job.arguments, Job.done).where(Job.kind == KIND, Job.state.in_(AT_WORK))
    return [max(1, len(arguments.get("batch") or ()) - done) for arguments, done in session.execute(at_work)]
