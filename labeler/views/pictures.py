"""What a page needs to show one asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attune.labeler.explore.search import NAME_COLUMNS
from attune.labeler.records.schema import Asset

LONGEST_NAME = 120


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


def title_name(columns: Mapping[str, Any]) -> str:
    """The title's name among an asset's own ``columns``, on one line; empty where none of `NAME_COLUMNS` has a text."""
    found = {str(key).casefold(): value for key, value in columns.items()}
    texts = (" ".join(str(found[key]).split()) for key in NAME_COLUMNS if found.get(key) is not None)
    return next((text[:LONGEST_NAME] for text in texts if text), "")
