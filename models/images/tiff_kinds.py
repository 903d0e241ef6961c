"""Which kinds of TIFF are opened, beyond those that Pillow knows, and what to say of the others.

A kind is the byte order, the photometric meaning, the format of a sample, the bits of each, and what extra channels
mean. Pillow holds a table of them; source of the numbers: TIFF 6.0, and its technical note 3 for floats of 16 bits.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SAMPLE_FORMAT, UNSIGNED, SIGNED, FLOATS = 339, 1, 2, 3
_WORDS = {
    UNSIGNED: "whole numbers",
    SIGNED: "signed whole numbers",
    FLOATS: "floats",
    5: "complex numbers",
    6: "complex numbers",
}
_PLACES = {273, 324}  # of strips, of tiles
_NATIVE = {"16BS": "16NS", "32BS": "32NS", "32BF": "32NF", "64BF": "64NF"}


def _learn() -> None:
    table = TiffImagePlugin.OPEN_INFO
    # Grey with alpha of 16 bits is opened as four bytes, and taken apart in `attune.models.images.pixel_values`.
    for order, alpha in ((b"II", 1), (b"II", 2), (b"MM", 1), (b"MM", 2)):
        table.setdefault((order, 1, (UNSIGNED,), 1, (16, 16), (alpha,)), ("RGBA", "RGBA"))
    table.setdefault((b"MM", 0, (UNSIGNED,), 1, (16,), ()), ("I;16B", "I;16B"))
    for order, mark in ((b"II", ""), (b"MM", "B")):
        # Floats of 16 bits come as the whole numbers that their bits make, also taken apart there.
        for photometric in (0, 1):
            table.setdefault((order, photometric, (FLOATS,), 1, (64,), ()), ("F", f"F;64{mark}F"))
            table.setdefault((order, photometric, (FLOATS,), 1, (16,), ()), ("F", f"F;16{mark}"))
        table.setdefault((order, 0, (SIGNED,), 1, (8,), ()), ("L", "L"))
        table.setdefault((order, 0, (SIGNED,), 1, (16,), ()), ("I", f"I;16{mark}S"))
        table.setdefault((order, 0, (SIGNED,), 1, (32,), ()), ("I", f"I;32{mark}S"))


_learn()


def native_order(opened: Image.Image) -> None:
    """Have packed numbers of a big-endian TIFF read as libtiff hands them out: in the order of this machine.

    Pillow thinks of it for unsigned ones of 16 bits alone; signed ones and floats would come with their bytes swapped.
    """

    def mended(tile: Any) -> Any:
        raw, *rest = tile.args
        start, _, kind = raw.rpartition(";")
        return tile._replace(args=(f"{start};{_NATIVE[kind]}", *rest)) if kind in _NATIVE else tile

    opened.tile = [mended(tile) if tile.codec_name == "libtiff" else tile for tile in opened.tile]  # type: ignore[attr-defined]


def unread_kind(content: bytes) -> str | None:
    """What a TIFF holds, and what to save it as, where its head is whole; None for all else. Never raises."""
    if content[:4] not in HEADS:
        return None
    with suppress(Exception):  # tags of damaged files raise all kinds
        long = content[2:4] in {b"+\0", b"\0+"}
        tags = TiffImagePlugin.ImageFileDirectory_v2(content[: 16 if long else 8])
        source = BytesIO(content)
        source.seek(tags.next)
        tags.load(source)
        if not {int(Base.ImageWidth), int(Base.ImageLength)} <= set(tags) or not _PLACES & set(tags):
            return None  # cut before it says where its pixels are
        channels = int(tags.get(int(Base.SamplesPerPixel), 1))
        bits = tags.get(int(Base.BitsPerSample), (1,))
        words = _WORDS.get(tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0], "numbers of an unknown format")
        what = f"{'-, '.join(map(str, sorted(set(bits))))}-bit {words}"
        if channels == 1:
            return f"({what}). Save it as 32-bit floats or 16-bit integers"
        return (
            f"({channels} channels of {what}). Save it as RGB with 8 bits per channel, or as one channel of "
            "32-bit floats"
        )
    return None
