"""A title's page: its images beside what works, whose taste is missing, and what to avoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from attune.labeler.briefs.brief import Brief, brief
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, picture


@dataclass(frozen=True)
class TitlePage:
    """The brief, and the ``pictures`` of it that are here, by asset id."""

    brief: Brief
    pictures: Mapping[str, PageImage]


def title_page(settings: Settings, viewer: Viewer, title: str) -> TitlePage:
    """The page of ``title``. Raises UnknownAsset where no image of it is in the pool."""
    made = brief(settings, title, viewer)
    with reading(settings) as session:
        rows = session.scalars(select(Asset).where(Asset.asset_id.in_(made.asset_ids()), may_explore(viewer)))
        return TitlePage(made, {row.asset_id: picture(row) for row in rows})
