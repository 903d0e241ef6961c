"""Whether two images are one picture, saved twice: at another size, or in another format.

An encoder takes two drawings of one layout for nearly the same, so its vectors cannot tell. Here both are reduced to
``SIDE`` x ``SIDE`` pixels. To be saved again moves a pixel by a few steps of 255; another face or another line of text
moves some by far more (``benchmarks.duplicates``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 24
MOST = 18  # steps of 255 that a pixel may differ: a copy of less than a third of the size may well differ more
MOST_RATIO = 1.03  # of width to height: more is another crop

Small = npt.NDArray[np.uint8]


def small_of(picture: Image.Image) -> Small:
    """``picture`` as red, green and blue, (SIDE, SIDE, 3)."""
    # Not BOX: it weighs whole pixels, so a picture of 50 pixels and one of 500 would fall into other parts.
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.uint8)


def is_same(one: Small, other: Small) -> bool:
    """Whether two pictures that are these, when small, are one."""
    return int(np.abs(one.astype(np.int16) - other).max()) <= MOST


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes, (width, height), are of one crop."""
    a, b = (width / max(height, 1) for width, height in (one, other))
    return max(a, b) <= MOST_RATIO * min(a, b)
