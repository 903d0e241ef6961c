"""*Similar* is prepared before anybody opens it: after images came, and after a taste space came into use."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select

from attune.labeler.explore import space_index
from attune.labeler.jobs import jobs
from attune.labeler.jobs.ask_once import failed_lately
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.models.clock import now
from attune.workers.jobs.prepare_similar import marks

REST = timedelta(minutes=1)  # after the last one began, however often images come


def ask(settings: Settings) -> dict[str, int]:
    """Ask for the job `similar` where something changed since the last one; none while others get vectors, nor soon
    after one that failed.

    A pool that is small is prepared within a page, so only a network of a taste space's own asks for it there.
    """
    with reading(settings) as session:
        busy = Job.kind.in_(("embed", towers.KIND)) & Job.state.in_(("queued", "running"))
        lately = (Job.kind == towers.KIND) & (Job.created_at > now() - REST)
        if session.scalar(select(Job.id).where(or_(busy, lately)).limit(1)):
            return {"similar": 0}
        if failed_lately(session, towers.KIND) is not None:
            return {"similar": 0}
        champion = learned.champion(session)
        own = champion is not None and champion.manifest.get("network") is not None
        if not own and (session.scalar(select(func.max(Asset.id))) or 0) < space_index.LARGE:
            return {"similar": 0}
        mine = select(Job.result).where(Job.kind == towers.KIND, Job.state == "done")
        last = session.scalar(mine.order_by(Job.finished_at.desc()).limit(1)) or {}
        if last.get("marks") == marks(settings, session):
            return {"similar": 0}
    jobs.enqueue(settings, towers.KIND)
    return {"similar": 1}
