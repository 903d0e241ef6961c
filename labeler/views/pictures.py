"""What a page needs to show one asset."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.assets.title_names import title_name
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
