"""A title's page: its images beside what works, whose taste is missing, and what to avoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from attune.labeler.briefs.brief import Brief, brief
from attune.labeler.explore.search import Query, allowed_by, name_columns
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, by_id, picture

MOST_FOUND = 24


@dataclass(frozen=True)
class TitlePage:
    """The brief, and the ``pictures`` of it that are here, by asset id."""

    brief: Brief
    pictures: Mapping[str, PageImage]


@dataclass(frozen=True)
class Found:
    """A title whose id or name holds what was asked for, and one image of it."""

    title_id: str
    picture: PageImage


def titles_like(settings: Settings, viewer: Viewer, text: str) -> list[Found]:
    """At most ``MOST_FOUND`` titles whose id or name holds ``text``, by id."""
    with reading(settings) as session:
        query = Query(title=text, name_columns=name_columns(session, text))
        first = select(func.min(Asset.id)).where(allowed_by(query), may_explore(viewer)).group_by(Asset.title_id)
        rows = session.scalars(select(Asset).where(Asset.id.in_(first)).order_by(Asset.title_id).limit(MOST_FOUND))
        return [Found(row.title_id, picture(row)) for row in rows]


def title_page(settings: Settings, viewer: Viewer, title: str) -> TitlePage:
    """The page of ``title``. Raises UnknownAsset where no image of it is in the pool."""
    made = brief(settings, title, viewer)
    with reading(settings) as session:
        return TitlePage(made, by_id(session, made.asset_ids(), may_explore(viewer)))
