"""How a picture gets the size that a network takes: by Pillow as open_clip does it, or on a tensor of any device.

The sizes and margins are open_clip's own (its ``transform.py``), worked out once, so that both ways cut and pad alike.
Pillow's way gives the same pixels to the last bit, and needs no torch: a process that decodes stays small. The tensor's
way (torchvision's antialiased resize) differs by its rounding, .1 of 255 on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    import torch

Pixels = npt.NDArray[np.uint8]
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Fit:
    """One picture's way: its ``size`` (w, h) after resizing, and where it lies on the canvas (negative: cut off)."""

    size: tuple[int, int]
    left: int
    top: int


@dataclass(frozen=True)
class Geometry:
    """What a network takes: ``height`` and ``width`` in pixels, and how a picture of other sides gets there.

    ``mode`` is open_clip's resize mode. What stays empty has the grey value ``fill``.
    """

    height: int
    width: int
    mode: str
    interpolation: str
    fill: int = 0

    @classmethod
    def of(cls, preprocessing: Mapping[str, Any]) -> Geometry | None:
        """That of a fingerprint's preprocessing; None where it says something that is not known here."""
        height, width = preprocessing["size"]
        mode, interpolation = preprocessing.get("resize_mode"), preprocessing.get("interpolation")
        fill = preprocessing.get("fill_color", 0)
        known = (
            mode in {"longest", "squash", "shortest"}
            and interpolation in {*_FILTERS, "random"}
            and isinstance(fill, int)
        )
        return cls(height, width, str(mode), str(interpolation), fill) if known else None

    def fit(self, width: int, height: int) -> Fit:
        """The way of a picture of ``width`` x ``height`` pixels."""
        size = self._resized(width, height)
        return Fit(size, _offset(size[0], self.width), _offset(size[1], self.height))

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.mode == "squash":
            return self.width, self.height
        if self.mode == "shortest" and self.width == self.height:  # torchvision's own Resize of one number
            long = int(self.width * max(width, height) / min(width, height))
            return (self.width, long) if width <= height else (long, self.width)
        ratios = height / self.height, width / self.width
        ratio = max(ratios) if self.mode == "longest" else min(ratios)
        return round(width / ratio), round(height / ratio)

    @property
    def _way(self) -> str:
        # For other than square networks open_clip's "shortest" names no filter, which means bicubic.
        unnamed = self.mode == "shortest" and self.width != self.height
        return "bilinear" if self.interpolation == "bilinear" and not unnamed else "bicubic"

    def of_picture(self, picture: Image.Image) -> Pixels:
        """An RGB picture as pixels (height, width, 3)."""
        fit = self.fit(*picture.size)
        resized = picture.resize(fit.size, _FILTERS[self._way])
        if fit.size == (self.width, self.height):
            return np.asarray(resized)
        canvas = Image.new("RGB", (self.width, self.height), (self.fill,) * 3)
        canvas.paste(resized, (fit.left, fit.top))
        return np.asarray(canvas)

    def of_tensor(self, picture: torch.Tensor) -> torch.Tensor:
        """A picture uint8 (3, h, w) as pixels uint8 (3, height, width) on its own device."""
        from torchvision.transforms import functional

        fit = self.fit(picture.shape[2], picture.shape[1])
        mode = functional.InterpolationMode(self._way)
        resized: torch.Tensor = functional.resize(picture, [fit.size[1], fit.size[0]], mode, antialias=True)
        if fit.size == (self.width, self.height):
            return resized
        canvas = resized.new_full((3, self.height, self.width), self.fill)
        high, wide = min(fit.size[1], self.height), min(fit.size[0], self.width)
        from_top, from_left = max(0, -fit.top), max(0, -fit.left)
        part = resized[:, from_top : from_top + high, from_left : from_left + wide]
        to_top, to_left = max(0, fit.top), max(0, fit.left)
        canvas[:, to_top : to_top + high, to_left : to_left + wide] = part
        return canvas


def _offset(side: int, canvas: int) -> int:
    """Where a side begins on a canvas: padding is rounded down, what is cut off as Python rounds."""
    return (canvas - side) // 2 if side <= canvas else -round((side - canvas) / 2.0)
