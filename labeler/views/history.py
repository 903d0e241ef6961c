"""Versions, aliases and the append-only history of who moved them, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler.records.schema import Alias, Promotion, Run, Version
from labeler.views import quality
from labeler.views.paging import Page, page_of
from labeler.views.quality import Quality


@dataclass(frozen=True)
class Published:
    """A version with the aliases that point to it."""

    version: int
    aliases: Sequence[str]
    quality: Quality
    answers: int
    digest: str
    created_at: datetime
    retired_at: datetime | None
    scored_at: datetime | None


@dataclass(frozen=True)
class Move:
    """One line of the history."""

    at: datetime
    who: str
    action: str
    alias: str | None
    version: int
    before: int | None
    reason: str


def versions(session: Session, attribute_id: int, page: int = 1, size: int = 10) -> Page[Published]:
    """The versions of an attribute, newest first."""
    query = select(Version).where(Version.attribute_id == attribute_id).order_by(Version.version.desc())
    found = page_of(session, query, page, size)
    aliases = session.execute(select(Alias.version, Alias.alias).where(Alias.attribute_id == attribute_id)).all()
    ids = [one.run_id for one in found.items]
    runs = {
        row[0]: (row[1], row[2])
        for row in session.execute(select(Run.id, Run.metrics, Run.answers).where(Run.id.in_(ids)))
    }

    def published(one: Version) -> Published:
        metrics, answers = runs[one.run_id]
        names = sorted(alias for version, alias in aliases if version == one.version)
        return Published(
            one.version,
            names,
            quality.read(metrics),
            answers,
            one.digest,
            one.created_at,
            one.retired_at,
            one.scored_at,
        )

    return found.map(published)


def moves(session: Session, attribute_id: int, page: int = 1, size: int = 10) -> Page[Move]:
    """The history of an attribute's aliases, newest first."""
    query = (
        select(Promotion)
        .where(Promotion.attribute_id == attribute_id)
        .order_by(Promotion.at.desc(), Promotion.id.desc())
    )
    found = page_of(session, query, page, size)
    return found.map(lambda one: Move(one.at, one.who, one.action, one.alias, one.version, one.before, one.reason))
