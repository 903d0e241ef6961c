"""The pool, a page of pictures at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select

from attune.labeler.people.viewer import Viewer, may_see
from attune.labeler.records.contained import is_contained
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, found_pictures, picture
from attune.models.errors import UnknownAsset

PAGE = 48


@dataclass(frozen=True)
class Grid:
    """One page of the pool; ``query`` is what was searched for."""

    pictures: Page[PageImage]
    query: str


def assets(settings: Settings, viewer: Viewer, query: str = "", page: int = 1) -> Grid:
    """The assets whose id or title contains ``query``, by id."""
    said = (is_contained(query, column) for column in (Asset.asset_id, Asset.title_id))
    with reading(settings) as session:
        if query:
            return Grid(found_pictures(session, may_see(viewer) & or_(*said), page, PAGE), query)
        visible_assets = select(Asset).where(may_see(viewer)).order_by(Asset.asset_id)
        return Grid(page_of(session, visible_assets, page, PAGE).map(picture), query)


def asset(settings: Settings, viewer: Viewer, pk: int) -> Asset:
    """One asset that ``viewer`` may see. Raises UnknownAsset, the same whether it is absent or not theirs to see."""
    with reading(settings) as session:
        asset_row = session.scalar(select(Asset).where(Asset.id == pk, may_see(viewer)))
    if asset_row is None:
        raise UnknownAsset(f"Image {pk} does not exist, or it was removed from the pool.")
    return asset_row
