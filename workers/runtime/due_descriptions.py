"""Descriptions of clusters that are not of today any more: asked for again, one clustering at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Clustering, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance, descriptions, members
from attune.labeler.spaces.descriptions import Basis
from attune.models.clock import now

REST = timedelta(minutes=10)  # between two descriptions, however often experts answer


def ask(settings: Settings) -> int:
    """Ask for one description that is due: of a clustering that has none, whose champions moved, or with new answers
    or performance.

    Of each space and scope the newest clustering alone: the pages of older ones say of when they are.
    """
    with reading(settings) as session:
        mine = select(Job.id).where(Job.kind == descriptions.KIND)
        lately = Job.state.in_(("queued", "running")) | (Job.created_at > now() - REST)
        if session.scalar(mine.where(lately).limit(1)):
            return 0
        newest = select(func.max(Clustering.id)).group_by(Clustering.space, Clustering.scope)
        oldest = Clustering.described_at.asc().nulls_first()
        rows = session.scalars(select(Clustering).where(Clustering.id.in_(newest)).order_by(oldest))
        today = descriptions.today(session)
        imports = cluster_performance.imported(session)
        due = [
            row.id
            for row in rows
            if (
                row.described_at is None
                or descriptions.is_stale(Basis.of(row), *today)
                or cluster_performance.is_stale(settings, row.id, imports)
            )
            and members.there(settings, row.file)
        ]
    for clustering in due[:1]:
        jobs.enqueue(settings, descriptions.KIND, clustering=clustering)
    return len(due[:1])
