"""What new assets ask for: the champions' feature values, and a look at whether their scores have drifted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Alias, Asset, Attribute, Job, Version
from attune.labeler.records.session import reading
from attune.labeler.records.version_scores import VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import now
from attune.models.evaluation.score_drift import RULE
from attune.workers.jobs.pool_parts import PART

REST = timedelta(minutes=10)  # between two scorings of one version, however often assets are added


def ask(settings: Settings) -> dict[str, int]:
    """Ask for what is due: how many versions are scored on, and how many are looked at.

    Nothing is asked for while images are being embedded, nor twice for one version at once.
    """
    with reading(settings) as session:
        open_ones = select(Job.kind, Job.subject).where(
            Job.kind.in_(("embed", "score", "drift")), Job.state.in_(("queued", "running"))
        )
        busy = {(kind, subject) for kind, subject in session.execute(open_ones)}
        if any(kind == "embed" for kind, _ in busy):
            return {"scored": 0, "looked_at": 0}
        champions = session.execute(
            select(Attribute.name, Version)
            .join(Version, Version.attribute_id == Attribute.id)
            .join(Alias, (Alias.attribute_id == Version.attribute_id) & (Alias.version == Version.version))
            .where(Alias.alias == CHAMPION, Attribute.retired_at.is_(None), Version.scored_at.is_not(None))
        ).all()
        newest = session.scalar(select(func.max(Asset.id)).where(Asset.removed_at.is_(None))) or 0
        added = {version.id: _added(session, version) for _, version in champions}
    score, look = [], []
    for name, version in champions:
        if newest > until(version) and ("score", name) not in busy and (version.scored_at or now()) < now() - REST:
            score.append((name, version))
        if ("drift", name) not in busy and added[version.id] >= next_look(version):
            look.append(name)
    for name, version in score:
        for part in range(until(version) // PART, newest // PART + 1):
            jobs.enqueue(settings, "score", attribute=name, version=version.version, part=part)
    for name in look:
        jobs.enqueue(settings, "drift", attribute=name, look=True)
    return {"scored": len(score), "looked_at": len(look)}


def until(version: Version) -> int:
    """The key of the newest asset that the version was scored on; a version scored before that was kept counts as up
    to date, until it is scored again."""
    found = VersionScores.from_dict(version.scores).scored_until
    return 2**62 if found is None else found


def next_look(version: Version) -> int:
    """How many assets must have come since publication before the next look."""
    drift = VersionScores.from_dict(version.scores).drift
    return RULE.next_look(drift.seen if drift else 0)


def _added(session: Any, version: Version) -> int:
    first = VersionScores.from_dict(version.scores).baseline
    since = Asset.id > first.last_key if first else Asset.added_at > version.scored_at
    return session.scalar(select(func.count(Asset.id)).where(since, Asset.removed_at.is_(None))) or 0
