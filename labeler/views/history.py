"""Versions, aliases and the append-only history of who moved them, when and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.alias_history import Line, moment, pointing_at, to_line
from attune.labeler.catalog.aliases import aliases_of, drafts_of, is_draft
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Alias, Promotion, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import quality
from attune.labeler.views.quality import Quality
from attune.models.catalog.manifest import CHAMPION


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
    draft: bool


@dataclass(frozen=True)
class Move:
    """One line of the history; ``overridden`` names the enforced gates that its owner promoted over, ``draft``: the
    version was published although a class had no answer."""

    at: datetime
    who: str
    action: str
    alias: str | None
    version: int
    before: int | None
    reason: str
    overridden: Sequence[str] = ()
    draft: bool = False


@dataclass(frozen=True)
class Then:
    """What an alias pointed at at a moment, and the line that made it so; None where it pointed nowhere."""

    alias: str
    moment: datetime
    line: Line | None


@dataclass(frozen=True)
class HistoryPage:
    """A page of an attribute's history, and where its aliases point today."""

    name: str
    question: str
    aliases: Mapping[str, int]
    moves: Page[Move]
    began: datetime | None


def versions(session: Session, attribute_id: int, page: int = 1, size: int = 10) -> Page[Published]:
    """The versions of an attribute, newest first."""
    query = select(Version).where(Version.attribute_id == attribute_id).order_by(Version.version.desc())
    version_page = page_of(session, query, page, size)
    aliases = session.execute(select(Alias.version, Alias.alias).where(Alias.attribute_id == attribute_id)).all()
    ids = [one.run_id for one in version_page.items]
    runs = {
        row[0]: (row[1], row[2])
        for row in session.execute(select(Run.id, Run.metrics, Run.answers).where(Run.id.in_(ids)))
    }

    def published(row: Version) -> Published:
        metrics, answers = runs[row.run_id]
        names = sorted(alias for version, alias in aliases if version == row.version)
        return Published(
            row.version,
            names,
            quality.read(metrics),
            answers,
            row.digest,
            row.created_at,
            row.retired_at,
            row.scored_at,
            is_draft(row),
        )

    return version_page.map(published)


def moves(session: Session, attribute_id: int, page: int = 1, size: int = 10) -> Page[Move]:
    """The history of an attribute's aliases, newest first."""
    query = (
        select(Promotion)
        .where(Promotion.attribute_id == attribute_id)
        .order_by(Promotion.at.desc(), Promotion.id.desc())
    )
    drafts = drafts_of(session, attribute_id)
    return page_of(session, query, page, size).map(lambda line: move(line, drafts))


def move(line: Promotion, drafts: Collection[int] = ()) -> Move:
    """A line of the records as pages show it; ``drafts`` are the attribute's versions that are drafts."""
    overridden, draft = to_line(line).overridden, line.version in drafts
    return Move(line.at, line.who, line.action, line.alias, line.version, line.before, line.reason, overridden, draft)


def page(settings: Settings, name: str, number: int = 1, size: int = 30) -> HistoryPage:
    """A page of the whole history, newest first. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        began = session.scalar(select(func.min(Promotion.at)).where(Promotion.attribute_id == one.id))
        return HistoryPage(name, one.question, aliases_of(session, one), moves(session, one.id, number, size), began)


def then(settings: Settings, name: str, on: str) -> list[Then]:
    """What champion, and each other alias of today, was ``on`` a day (at its end) or at a moment, UTC.

    Raises DataError where ``on`` is no date, UnknownAttribute.
    """
    at = moment(on)
    with reading(settings) as session:
        others = set(aliases_of(session, attributes.find(session, name))) - {CHAMPION}
    return [Then(alias, at, pointing_at(settings, name, at, alias)) for alias in (CHAMPION, *sorted(others))]
