"""What a page needs to show one asset."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from attune.labeler.assets.title_names import title_name
from attune.labeler.records.paging import Page, page_of_keys
from attune.labeler.records.schema import Asset


@dataclass(frozen=True)
class PageImage:
    """An asset as a page shows it; ``width`` and ``height`` in pixels of the original.

    ``title_name``: what people call its title, from the asset table; empty where the table has no such column. Pages
    show it to those who manage (`web.title_names`).
    """

    pk: int
    asset_id: str
    title_id: str
    digest: str
    width: int
    height: int
    title_name: str = ""


def picture(asset: Asset) -> PageImage:
    """The picture of an asset that the viewer was found to be allowed to see."""
    name = title_name(asset.columns or {})
    return PageImage(asset.id, asset.asset_id, asset.title_id, asset.digest, asset.width, asset.height, name)


def by_id(session: Session, names: Collection[str], *conditions: ColumnElement[bool]) -> dict[str, PageImage]:
    """The pictures of the assets with these ids that fulfil the ``conditions``, by id; ids of other things are left
    out."""
    if not names:  # for SQLite, which would look at each image of the pool
        return {}
    # As a column: beside more than four ids SQLite would go through all images that fulfil a condition with an index.
    rows = session.execute(select(Asset, and_(true(), *conditions)).where(Asset.asset_id.in_(list(names))))
    return {one.asset_id: picture(one) for one, fulfils in rows if fulfils}


def in_order(session: Session, names: Sequence[str], *conditions: ColumnElement[bool]) -> list[PageImage]:
    """`by_id` in the order of ``names``."""
    found = by_id(session, names, *conditions)
    return [found[name] for name in names if name in found]


def found_pictures(session: Session, condition: ColumnElement[bool], number: int, size: int) -> Page[PageImage]:
    """One page of the assets that a search through the whole pool lets through, by id."""
    names = page_of_keys(session, select(Asset.asset_id).where(condition).order_by(Asset.asset_id), number, size)
    return Page(in_order(session, names.items), names.number, size, names.total)
