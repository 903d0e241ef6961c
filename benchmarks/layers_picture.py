"""A picture of both ends of a network: photographs, and what is nearest to each in an early and in a late layer.

    python -m benchmarks.layers --photos ../shared/photos --picture layers.png

Which photographs are shown is drawn by a seed among those of people with several, so that nobody chose what looks good.
A frame marks the same person.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from attune.models.files.outputs import user_file

EARLY, LATE = "block 0", "block 15"
SHOWN, NEIGHBOURS, SEED = 5, 5, 0
EDGE, GAP, BESIDE, TOP, RIM = 76, 6, 26, 30, 3  # pixels
PAPER, INK, SAME = (250, 249, 246), (31, 27, 24), (178, 58, 31)
HEADINGS = ("Photograph", "Nearest in an early layer (block 0)", "Nearest in a late layer (block 15)")
COLOURS = 96  # of the file's palette
Rows = npt.NDArray[np.float32]


def write(
    path: Path, images: Sequence[Image.Image], people: npt.NDArray[np.str_], spaces: dict[str, Rows], seed: int = SEED
) -> None:
    """Write the picture as PNG. ``images`` (n,), who is on each, ``people`` (n,), and unit vectors (n, d) by space."""
    asked = drawn(people, seed)
    width = BESIDE * 3 + EDGE + 2 * (NEIGHBOURS * (EDGE + GAP) - GAP) + BESIDE
    sheet = Image.new("RGB", (width, TOP + len(asked) * (EDGE + GAP) + GAP), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    frames: list[tuple[int, int]] = []
    lefts = [BESIDE, 2 * BESIDE + EDGE, 3 * BESIDE + EDGE + NEIGHBOURS * (EDGE + GAP) - GAP]
    for left, heading in zip(lefts, HEADINGS, strict=True):
        pen.text((left, 8), heading, INK, font)
    for row, one in enumerate(asked.tolist()):
        top = TOP + row * (EDGE + GAP)
        sheet.paste(_small(images[one]), (lefts[0], top))
        for left, name in zip(lefts[1:], (EARLY, LATE), strict=True):
            for place, near in enumerate(nearest(spaces[name], one).tolist()):
                at = left + place * (EDGE + GAP)
                sheet.paste(_small(images[near]), (at, top))
                if people[near] == people[one]:
                    frames.append((at, top))
    with user_file(path) as file:
        _framed(sheet, frames).save(file, "PNG", optimize=True)


def _framed(sheet: Image.Image, frames: Sequence[tuple[int, int]]) -> Image.Image:
    """The sheet in ``COLOURS``, and one more for the frames, which fitted ones would wash out."""
    small = sheet.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    palette = small.getpalette() or []
    small.putpalette([*palette[: 3 * COLOURS], *[0] * (3 * COLOURS - len(palette)), *SAME])
    pen = ImageDraw.Draw(small)
    for left, top in frames:
        pen.rectangle((left, top, left + EDGE - 1, top + EDGE - 1), outline=COLOURS, width=RIM)
    return small


def drawn(people: npt.NDArray[np.str_], seed: int = SEED) -> npt.NDArray[np.intp]:
    """``SHOWN`` photographs of different people who have several, or fewer where there are not so many."""
    names, counts = np.unique(people, return_counts=True)
    several = np.random.default_rng(seed).permutation(names[counts > 1])[:SHOWN]
    return np.array([np.flatnonzero(people == name)[0] for name in several], dtype=np.intp)


def nearest(rows: Rows, one: int) -> npt.NDArray[np.intp]:
    """The ``NEIGHBOURS`` rows nearest to row ``one`` by cosine, the nearest first."""
    cosines = rows @ rows[one]
    cosines[one] = -np.inf
    return np.argsort(-cosines, kind="stable")[:NEIGHBOURS].astype(np.intp)


def _small(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((EDGE, EDGE), Image.Resampling.LANCZOS)
