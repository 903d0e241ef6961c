"""Descriptions of clusters that are not of today any more: asked for again, one clustering at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Clustering, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance, descriptions, members
from attune.labeler.spaces.descriptions import Basis
from attune.models.clock import now

REST = timedelta(minutes=10)  # between two descriptions, however often experts answer
LONGEST_REST = timedelta(days=1)  # of a clustering whose description failed, and failed again
MOST_DOUBLED = 10
NEVER = datetime.min.replace(tzinfo=UTC)

Tries = Sequence[tuple[datetime, str]]  # when each was asked for, and its state; the newest first


def ask(settings: Settings) -> int:
    """Ask for one description that is due: of a clustering that has none, whose champions moved, or with new answers
    or performance.

    Of each space and scope the newest clustering alone: the pages of older ones say of when they are. The clustering
    that was tried least recently comes first, and one that failed rests ever longer: it keeps no other waiting.
    """
    with reading(settings) as session:
        mine = select(Job.id).where(Job.kind == descriptions.KIND)
        lately = Job.state.in_(("queued", "running")) | (Job.created_at > now() - REST)
        if session.scalar(mine.where(lately).limit(1)):
            return 0
        newest = select(func.max(Clustering.id)).group_by(Clustering.space, Clustering.scope)
        rows = session.scalars(select(Clustering).where(Clustering.id.in_(newest)).order_by(Clustering.id))
        tried, today = _tried(session), descriptions.today(session)
        imports = cluster_performance.imported(session)
        due = [
            (_last(row, tried[row.id]), row.id)
            for row in rows
            if (
                row.described_at is None
                or descriptions.is_stale(Basis.of(row), *today)
                or cluster_performance.is_stale(settings, row.id, imports)
            )
            and not _rests(tried[row.id], now())
            and members.there(settings, row.file)
        ]
    for _, clustering in sorted(due)[:1]:
        jobs.enqueue(settings, descriptions.KIND, clustering=clustering)
    return len(due[:1])


def _tried(session: Session) -> dict[int, list[tuple[datetime, str]]]:
    """The descriptions that were asked for, by the id of the clustering."""
    columns = select(Job.arguments, Job.created_at, Job.state).where(Job.kind == descriptions.KIND)
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for arguments, at, state in session.execute(columns.order_by(Job.created_at.desc())):
        found[int(arguments.get("clustering", 0))].append((at, state))
    return found


def _last(row: Clustering, tries: Tries) -> datetime:
    return max([row.described_at or NEVER, *(at for at, _ in tries[:1])])


def _rests(tries: Tries, at: datetime) -> bool:
    """Whether the last tries failed, so that the next one waits: 20 minutes, then 40, 80 … at most a day."""
    failed = list(takewhile(lambda one: one[1] == "failed", tries))[:MOST_DOUBLED]
    if not failed:
        return False
    rest = min(LONGEST_REST, REST * 2 ** len(failed))
    return bool(at - rest < failed[0][0] <= at + rest)  # later: a clock was set back
