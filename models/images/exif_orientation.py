"""How a picture is to be turned: the one number of an EXIF block that matters, whatever else stands in it.

Pillow reads and writes the whole block, so that one entry of an unusual type costs the image. Here nothing but entry
274 is looked at. As Chromium has it (seen in version 156): the first such entry counts, and only as one SHORT of 1
to 8. Source: TIFF 6.0, section 2, and EXIF 2.32, section 4.6.4.
"""

from __future__ import annotations

import struct

from PIL import Image

PREFACE = b"Exif\0\0"
ORIENTATION, SHORT = 274, 3
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(block: bytes) -> int:
    """1 to 8 from an EXIF block, with or without its preface; 1 where it says nothing that counts."""
    block = block.removeprefix(PREFACE)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return 1
    (at,) = struct.unpack_from(f"{order}I", block, 4)
    if at + 2 > len(block):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", block, at)
    for place in range(at + 2, at + 2 + 12 * entries, 12):
        if place + 12 > len(block):
            break
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", block, place)
        if tag == ORIENTATION:
            return value if kind == SHORT and count == 1 and 1 <= value <= 8 else 1
    return 1


def swaps_sides(value: int) -> bool:
    """Whether width and height change places."""
    return value >= 5


def upright(picture: Image.Image, value: int) -> Image.Image:
    """``picture`` upright."""
    return picture.transpose(_TURNS[value]) if value in _TURNS else picture
