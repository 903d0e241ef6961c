"""What a file says of its picture beside the pixels: how to turn it, its colours, what its numbers mean.

All of it is read here, before a pixel is decoded, and what other words a file has for the same (XMP, EXIF in WebP, EXIF
after a PNG's pixels) is passed over as Chromium passes over it; docs/explanation/images.md has the table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image
from PIL.ExifTags import Base

from attune.models.images.exif_orientation import orientation
from attune.models.images.pixel_values import WHITE_IS_ZERO, Meaning
from attune.models.images.png_chunks import CLEAR_COLOUR, COLOUR, PngFacts
from attune.models.images.tiff_kinds import SAMPLE_FORMAT, SIGNED, native_order

_GREY, _GREY_ALPHA = 0, 4  # types of colour of a PNG, beside COLOUR
_PHOTOMETRIC, _NO_DATA = 262, 42113
_XMP = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_EXIF, _PREFACE = b"Exif\0", 6  # Chromium asks nothing of the last byte of the preface
_SPACES = {b"RGB ", b"GRAY", b"CMYK"}
_HDR = {16, 18}  # transfers of ITU-T H.273: PQ and HLG
_PLAIN_PRIMARIES, _PLAIN_TRANSFERS = {1, 2}, {1, 2, 6, 13, 14, 15}
_BMP_PROFILE = b"DEBM"  # "embedded", as a number in little-endian order
_HEAD = 2**16  # bytes in which an AVIF's colours are looked for


@dataclass(frozen=True)
class Marks:
    """How to turn (1 to 8), profiles to try, what the numbers mean, and where the frame lies, if not all over.

    ``browsers_differ``: a browser makes other colours of it, so it must be served as it is read here.
    """

    orientation: int = 1
    profiles: tuple[bytes, ...] = ()
    meaning: Meaning = Meaning()
    frame: tuple[int, int, int, int] | None = None
    browsers_differ: bool = False

    @property
    def bare(self) -> bool:
        """Whether nothing here, but perhaps a profile, changes the picture."""
        return self.orientation == 1 and self.frame is None and self.meaning == Meaning()


def read_marks(opened: Image.Image, content: bytes, png: PngFacts | None) -> Marks:
    """The marks of an image that was opened and not yet loaded. Never raises: what is odd counts as absent."""
    if png is not None:
        return _of_png(png)
    profile = opened.info.get("icc_profile")
    profiles = (profile,) if isinstance(profile, bytes) and profile else ()
    if opened.format == "TIFF":
        # Pillow turns a TIFF by its own tag while it loads it; by XMP it would too.
        for key in _XMP:
            opened.info.pop(key, None)
        native_order(opened)
        return Marks(profiles=profiles, meaning=_of_tiff(opened))
    if opened.format == "GIF":
        return Marks(frame=_frame(opened))
    return Marks(_turn(opened), profiles, browsers_differ=_differs(str(opened.format), content, profiles))


def _turn(opened: Image.Image) -> int:
    if opened.format in {"JPEG", "MPO"}:
        segments = getattr(
            opened, "applist", ()
        )  # as they lie in the file; Pillow keeps EXIF of the usual preface alone
        blocks = (data[_PREFACE:] for name, data in segments if name == "APP1" and data.startswith(_EXIF))
        return orientation(next(blocks, b""))
    block = opened.info.get("exif", b"")
    return orientation(block) if opened.format == "AVIF" and isinstance(block, bytes) else 1


def _differs(kind: str, content: bytes, profiles: tuple[bytes, ...]) -> bool:
    """Whether the file has a word on colour that browsers follow and this reading does not."""
    if profiles:
        return any(_odd_profile(profile, kind) for profile in profiles)
    if kind == "AVIF":
        at = content.find(b"colrnclx", 0, _HEAD) + 8
        said = [int.from_bytes(content[place : place + 2], "big") for place in (at, at + 2)]
        return at >= 8 and (said[0] not in _PLAIN_PRIMARIES or said[1] not in _PLAIN_TRANSFERS)
    return kind == "BMP" and int.from_bytes(content[14:18], "little") >= 124 and content[70:74] == _BMP_PROFILE


def _odd_profile(profile: bytes, kind: str) -> bool:
    """Whether a profile holds code points, or is one of Lab and the like where a browser does not pass over it."""
    if profile[36:40] != b"acsp":
        return False  # broken: passed over by everybody
    count = int.from_bytes(profile[128:132], "big")
    tags = {profile[at : at + 4] for at in range(132, min(132 + 12 * count, len(profile) - 11), 12)}
    return b"cicp" in tags or (kind in {"PNG", "AVIF"} and profile[16:20] not in _SPACES)


def _of_png(png: PngFacts) -> Marks:
    clear: tuple[int, ...] = ()
    if png.colour in {_GREY, COLOUR}:
        size = 2 if png.colour == _GREY else CLEAR_COLOUR
        if len(png.transparency) >= size:
            clear = tuple(int.from_bytes(png.transparency[at : at + 2], "big") for at in range(0, size, 2))
    depth = png.depth if clear or png.depth == 16 else 8
    upright = png.exif[:4] in {b"II*\0", b"MM\0*"}  # here a browser knows no preface
    pair = (0, 3) if png.colour == _GREY_ALPHA and png.depth == 16 else None  # Pillow opens it as RGBA
    meaning = Meaning(depth=depth, clear=clear, grey_and_alpha=pair)
    hdr = len(png.code_points) == 4 and png.code_points[1] in _HDR
    differs = hdr or any(_odd_profile(profile, "PNG") for profile in png.profiles)
    return Marks(orientation(png.exif) if upright else 1, png.profiles, meaning, browsers_differ=differs)


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
    no_data = _number(_tag(opened, _NO_DATA, None))
    formats = _tag(opened, SAMPLE_FORMAT, (1,))
    signed = isinstance(formats, tuple) and formats[:1] == (SIGNED,)
    white_is_zero = _tag(opened, _PHOTOMETRIC, 1) == WHITE_IS_ZERO
    depth = bits[0] if isinstance(bits, tuple) and bits and isinstance(bits[0], int) else 16 if deep else 8
    if opened.mode in {"I", "F"} or (signed and opened.mode == "L"):
        return Meaning(depth=depth, white_is_zero=white_is_zero, signed=signed, no_data=no_data)
    if deep:
        return Meaning(depth=depth, white_is_zero=white_is_zero, clear=_clear(no_data, 16))
    if opened.mode in {"1", "L", "P", "RGB"} and depth <= 8 and (clear := _clear(no_data, depth)):
        # Pillow has turned the values round already where white is zero.
        turned = 2**depth - 1 - clear[0] if white_is_zero and opened.mode in {"1", "L"} else clear[0]
        return Meaning(depth=depth, clear=(turned,) * (3 if opened.mode == "RGB" else 1))
    return Meaning()


def _clear(no_data: float | None, depth: int) -> tuple[int, ...]:
    """The value that stands for no data as that of transparent pixels, if ``depth`` bits can hold it."""
    fits = no_data is not None and 0 <= no_data < 2**depth and no_data == int(no_data)
    return (int(no_data),) if fits and no_data is not None else ()


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
