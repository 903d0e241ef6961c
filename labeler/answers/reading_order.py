"""When Label Studio was asked, in the records' own order: what came since is newer than what it showed.

A clock cannot say that. One that was set back between the question and an answer made the answer look older than a list
that had been asked for before it: it was taken for deleted, and its image was asked about once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, AnnotationEvent, Grid, GridPage
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now


@dataclass(frozen=True)
class Asked:
    """``at`` by our clock, for marks and ages; ``event`` is the newest line in the history of answers at that moment.

    A line is written after Label Studio showed what it says. So whatever has a line up to ``event`` was known to Label
    Studio when it was asked, even where the line's transaction ended later.
    """

    at: datetime
    event: int


@dataclass(frozen=True)
class AskedPages(Asked):
    """As ``Asked``, of pages of images, whose answers leave no line where nothing is ticked and no tick says nothing.

    ``known``: each page that the records had as answered, by its key -> its annotation's id and time there; where some
    pages are sent, of those alone.
    """

    known: Mapping[int, tuple[int, datetime]]

    def shows_later(self, page: GridPage, at: datetime) -> bool:
        """Whether an answer of ``at`` by Label Studio's clock is a later state of the page's annotation.

        That clock may have been set back between two edits. What was known when it was asked is old, then, as soon as
        anything else has come; and another state than that is later, as long as nothing else has come.
        """
        current, known = (page.label_studio_id, page.updated_at), self.known.get(page.id)
        if page.updated_at is None or known == (page.label_studio_id, at):
            return page.updated_at is None
        return at > page.updated_at or (at < page.updated_at and known == current)

    def knew(self, page: GridPage) -> bool:
        """Whether the page's annotation was known when Label Studio was asked: one that it does not show is gone."""
        number, _ = self.known.get(page.id, (None, None))
        return number is not None and number == page.label_studio_id


def asked_now(settings: Settings) -> Asked:
    """The moment before a question to Label Studio."""
    with reading(settings) as session:
        return of_now(session)


def of_now(session: Session) -> Asked:
    """As ``asked_now``, in a transaction of the caller's."""
    return Asked(now(), session.scalar(select(func.max(AnnotationEvent.id))) or 0)


def asked_pages_now(settings: Settings, grid: Grid, only: Iterable[GridPage] | None = None) -> AskedPages:
    """As ``asked_now``, of one project of pages, or ``only`` of those that are asked about."""
    with reading(settings) as session:
        return pages_of_now(session, grid, only)


def pages_of_now(session: Session, grid: Grid, only: Iterable[GridPage] | None = None) -> AskedPages:
    """As ``asked_pages_now``, in a transaction of the caller's."""
    which = GridPage.grid_id == grid.id if only is None else GridPage.id.in_([page.id for page in only])
    answered = (which, GridPage.label_studio_id.is_not(None), GridPage.updated_at.is_not(None))
    rows = session.execute(select(GridPage.id, GridPage.label_studio_id, GridPage.updated_at).where(*answered))
    known = {page: (number, at) for page, number, at in rows if number is not None and at is not None}
    asked = of_now(session)
    return AskedPages(asked.at, asked.event, known)


def is_newer_than(asked: Asked, but: str = "") -> ColumnElement[bool]:
    """Whether an answer, by its row, has news from after Label Studio was ``asked``, ``but`` of that kind."""
    news = _news(asked).where(AnnotationEvent.annotation_id == Annotation.id)
    return news.where(AnnotationEvent.kind != but).exists()


def has_news(session: Session, annotation: Annotation, asked: Asked) -> bool:
    """Whether ``annotation`` has news from after Label Studio was ``asked``."""
    mine = _news(asked).where(AnnotationEvent.annotation_id == annotation.id)
    return session.scalar(mine.limit(1)) is not None


def was_known(session: Session, annotation: Annotation, at: datetime, asked: Asked) -> bool:
    """Whether the records had the state of ``at``, by Label Studio's clock, when Label Studio was ``asked``."""
    lines = select(AnnotationEvent.id).where(AnnotationEvent.id <= asked.event, AnnotationEvent.updated_at == at)
    return session.scalar(lines.where(AnnotationEvent.annotation_id == annotation.id).limit(1)) is not None


def _news(asked: Asked) -> Select[int]:
    return select(AnnotationEvent.id).where(AnnotationEvent.id > asked.event)
