"""Which JPEG files any decoder reads alike: those alone may be decoded on a graphics card.

Only the file's own header decides, segment by segment up to its scan (ITU-T T.81, annex B). Whatever is unusual goes
to Pillow, which knows all the rules of `docs/explanation/images.md`: a turned picture, a profile that changes colours,
CMYK, several scans, 12 bits, arithmetic coding, a file that ends early, and all that would be refused there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attune.models.images.colour_profiles import converts
from attune.models.images.exif_orientation import orientation
from attune.models.images.opening import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, SCAN

_START, _END = b"\xff\xd8", b"\xff\xd9"
_BASELINE, _SCAN = 0xC0, SCAN[1]
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # every way to code a frame; C4 and CC are tables
_NO_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA), 0xFF})
_EXIF, _PREFACE = b"Exif\0", 6  # as `attune.models.images.metadata` reads it
_PROFILE, _ONE_OF_ONE = b"ICC_PROFILE\0", b"\1\1"
_ADOBE, _YCC = b"Adobe", 1
_COMPONENTS = (1, 2, 3)  # Y, Cb, Cr by the numbers of JFIF: other numbers may mean RGB
_SAMPLINGS = frozenset({(0x11, 0x11, 0x11), (0x21, 0x11, 0x11), (0x22, 0x11, 0x11)})  # 4:4:4, 4:2:2, 4:2:0


@dataclass(frozen=True)
class PlainJpeg:
    """The bytes of a JPEG that every decoder reads alike, its size in pixels, and a ``name`` for messages."""

    content: bytes
    width: int
    height: int
    name: str = "the image"


def plain_jpeg(content: bytes, max_pixels: int = MAX_PIXELS, name: str = "the image") -> PlainJpeg | None:
    """``content`` as a plain JPEG; None where only the slow way knows what it is. Never raises."""
    if len(content) > MAX_BYTES or not (content.startswith(_START) and content.endswith(_END)):
        return None
    size: tuple[int, int] | None = None
    turned = False
    for marker, body, at in _segments(content):
        if marker in _FRAMES:
            if size is not None or marker != _BASELINE or (size := _frame(body, max_pixels)) is None:
                return None
        elif marker == _SCAN:
            whole = len(body) == 10 and body[0] == len(_COMPONENTS)
            one_scan = size and whole and content.count(SCAN, at) == 1
            return PlainJpeg(content, *size, name) if size and one_scan else None
        elif marker == 0xE1 and body.startswith(_EXIF) and not turned:
            if orientation(body[_PREFACE:]) != 1:
                return None
            turned = True  # the first block counts, as for Pillow's way
        elif (marker == 0xE2 and not _changes_nothing(body)) or (marker == 0xEE and not _is_ycc(body)):
            return None
    return None


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and place of each segment up to the scan; fewer where anything else stands between two of them."""
    at = len(_START)
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] not in _NO_LENGTH:
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        body = content[at + 4 : at + 2 + length]
        if length < 2 or len(body) != length - 2:
            return
        yield content[at + 1], body, at
        at += 2 + length


def _frame(body: bytes, max_pixels: int) -> tuple[int, int] | None:
    """Width and height of a frame of 8 bits in Y, Cb and Cr of a bearable size; None of another."""
    if len(body) != 15 or body[0] != 8 or body[5] != len(_COMPONENTS) or tuple(body[6::3]) != _COMPONENTS:
        return None
    height, width = (int.from_bytes(body[place : place + 2], "big") for place in (1, 3))
    bearable = 0 < width * height <= max_pixels and max(width, height) <= MAX_ASPECT * min(width, height)
    return (width, height) if bearable and tuple(body[7::3]) in _SAMPLINGS else None


def _changes_nothing(body: bytes) -> bool:
    """Whether a segment APP2 is a whole profile that changes no colour; others may be a second picture."""
    head = len(_PROFILE) + len(_ONE_OF_ONE)
    return body[:head] == _PROFILE + _ONE_OF_ONE and not converts((body[head:],), "RGB")


def _is_ycc(body: bytes) -> bool:
    return not body.startswith(_ADOBE) or (len(body) >= 12 and body[11] == _YCC)
