"""A grid of pictures that a notebook shows: each image with what is written under it.

The pictures are inside the HTML itself, so that a saved notebook shows them without a running Attune.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_CELL = "margin:0;width:{width}px;font:12px/1.4 system-ui,sans-serif;overflow-wrap:anywhere"
_PICTURE = "display:block;width:100%;height:{width}px;object-fit:contain;background:#8882;border-radius:6px"


@dataclass(frozen=True)
class PictureGrid:
    """Pictures in rows; a notebook shows it by itself, ``html()`` is for a page of your own.

    ``pictures`` are JPEG bytes, or None for one that could not be read; ``captions`` has one text for each.
    """

    asset_ids: Sequence[str]
    pictures: Sequence[bytes | None]
    captions: Sequence[str]
    width: int = 160

    def __post_init__(self) -> None:
        if not len(self.asset_ids) == len(self.pictures) == len(self.captions):
            raise ValueError(
                f"{len(self.asset_ids)} ids, {len(self.pictures)} pictures and {len(self.captions)} captions: a grid "
                "needs one of each for every image."
            )

    def html(self) -> str:
        """The grid as HTML that stands alone."""
        cells = "".join(map(self._cell, self.asset_ids, self.pictures, self.captions))
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{cells}</div>'

    _repr_html_ = html

    def _cell(self, asset_id: str, picture: bytes | None, caption: str) -> str:
        style = _PICTURE.format(width=self.width)
        if picture is None:
            shown = f'<span style="{style};display:grid;place-items:center">no picture</span>'
        else:
            data = b64encode(picture).decode()
            shown = f'<img alt="{escape(asset_id)}" style="{style}" src="data:image/jpeg;base64,{data}">'
        text = escape(caption) if caption else escape(asset_id)
        return f'<figure style="{_CELL.format(width=self.width)}">{shown}<figcaption>{text}</figcaption></figure>'
