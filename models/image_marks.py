"""What a file says of its picture beside the pixels: how to turn it, its colours, what its numbers mean.

All of it is read here, before a pixel is decoded, and what other words a file has for the same (XMP, EXIF in WebP, EXIF
after a PNG's pixels) is passed over as Chromium passes over it; docs/images.md has the table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from models.exif_orientation import orientation
from models.pixel_values import WHITE_IS_ZERO, Meaning
from models.png_chunks import PngFacts

_GREY, _COLOUR, _GREY_ALPHA = 0, 2, 4  # types of colour of a PNG
_PHOTOMETRIC, _SAMPLE_FORMAT, _NO_DATA, _SIGNED = 262, 339, 42113, 2
_XMP = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")

# Three kinds of TIFF that Pillow does not open: 16 bits with the bytes in the other order where white is zero, and grey
# with alpha of 16 bits, which is read as four bytes.
for _order, _alpha in ((b"II", 1), (b"II", 2), (b"MM", 1), (b"MM", 2)):
    TiffImagePlugin.OPEN_INFO.setdefault((_order, 1, (1,), 1, (16, 16), (_alpha,)), ("RGBA", "RGBA"))
TiffImagePlugin.OPEN_INFO.setdefault((b"MM", 0, (1,), 1, (16,), ()), ("I;16B", "I;16B"))


@dataclass(frozen=True)
class Marks:
    """How to turn (1 to 8), profiles to try, what the numbers mean, and where the frame lies, if not all over."""

    orientation: int = 1
    profiles: tuple[bytes, ...] = ()
    meaning: Meaning = Meaning()
    frame: tuple[int, int, int, int] | None = None

    @property
    def bare(self) -> bool:
        """Whether nothing here, but perhaps a profile, changes the picture."""
        return self.orientation == 1 and self.frame is None and self.meaning == Meaning()


def read_marks(opened: Image.Image, png: PngFacts | None) -> Marks:
    """The marks of an image that was opened and not yet loaded. Never raises: what is odd counts as absent."""
    if png is not None:
        return _of_png(png)
    profile = opened.info.get("icc_profile")
    profiles = (profile,) if isinstance(profile, bytes) and profile else ()
    if opened.format == "TIFF":
        # Pillow turns a TIFF by its own tag while it loads it; by XMP it would too.
        for key in _XMP:
            opened.info.pop(key, None)
        return Marks(profiles=profiles, meaning=_of_tiff(opened))
    if opened.format == "GIF":
        return Marks(frame=_frame(opened))
    block = opened.info.get("exif", b"")
    turns = opened.format in {"JPEG", "MPO", "AVIF"} and isinstance(block, bytes)
    return Marks(orientation(block) if turns else 1, profiles)


def _of_png(png: PngFacts) -> Marks:
    clear: tuple[int, ...] = ()
    if png.colour in {_GREY, _COLOUR}:
        size = 2 if png.colour == _GREY else 6
        if len(png.transparency) >= size:
            clear = tuple(int.from_bytes(png.transparency[at : at + 2], "big") for at in range(0, size, 2))
    depth = png.depth if clear or png.depth == 16 else 8
    upright = png.exif[:4] in {b"II*\0", b"MM\0*"}  # here a browser knows no preface
    pair = (0, 3) if png.colour == _GREY_ALPHA and png.depth == 16 else None  # Pillow opens it as RGBA
    meaning = Meaning(depth=depth, clear=clear, grey_and_alpha=pair)
    return Marks(orientation(png.exif) if upright else 1, png.profiles, meaning)


def _frame(opened: Image.Image) -> tuple[int, int, int, int] | None:
    """Where a GIF's first frame lies, if it leaves a part of the picture empty."""
    tiles = getattr(opened, "tile", None)
    extents = tuple(tiles[0].extents) if tiles else (0, 0, *opened.size)
    return None if extents == (0, 0, *opened.size) else extents


def _of_tiff(opened: Image.Image) -> Meaning:
    bits = _tag(opened, int(Base.BitsPerSample), (8,))
    deep = opened.mode in {"I", "F"} or opened.mode.startswith("I;16")
    if bits == (16, 16) and opened.mode == "RGBA":
        big = opened.tag_v2.prefix == b"MM" and opened.info.get("compression") == "raw"  # type: ignore[attr-defined]
        return Meaning(depth=16, grey_and_alpha=(0, 2) if big else (1, 3))
    if not deep:
        return Meaning()
    depth = bits[0] if isinstance(bits, tuple) and bits and isinstance(bits[0], int) else 16
    formats = _tag(opened, _SAMPLE_FORMAT, (1,))
    return Meaning(
        depth=depth,
        white_is_zero=_tag(opened, _PHOTOMETRIC, 1) == WHITE_IS_ZERO,
        signed=isinstance(formats, tuple) and formats[:1] == (_SIGNED,),
        no_data=_number(_tag(opened, _NO_DATA, None)) if opened.mode in {"I", "F"} else None,
    )


def _tag(opened: Image.Image, number: int, otherwise: Any) -> Any:
    with suppress(Exception):  # a tag of an odd type raises all kinds
        return opened.tag_v2.get(number, otherwise)  # type: ignore[attr-defined]
    return otherwise


def _number(text: Any) -> float | None:
    """The number that GDAL writes as text, with spaces and a zero byte after it."""
    with suppress(TypeError, ValueError):
        if isinstance(text, bytes):
            text = text.decode("ascii", "replace")
        return float(text.strip("\0 ") if isinstance(text, str) else text)
    return None
