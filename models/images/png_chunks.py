"""The chunks of a PNG that decide how it looks, read by ourselves; the others never cost the image.

Pillow reads every chunk and refuses the file where a text is long, or damaged, or says nothing it knows. A browser
passes over them. So a PNG is slimmed to the chunks of its pixels before Pillow sees it, and what colours it is read
here, in the order that Chromium follows (seen in version 156): cICP, iCCP, sRGB, gAMA with cHRM; the first of a kind
counts, and only before the pixels. Source: the PNG specification, third edition, sections 4.3 and 11.3.2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from attune.models.images.made_profiles import BT709, PRIMARIES, SRGB_CURVE, TRANSFERS, matrix_profile, power_curve

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PROFILE = 32 * 2**20  # bytes of a profile once unpacked; a larger one is passed over
MOST_CHUNKS = 1_000_000
COLOUR, CLEAR_COLOUR = 2, 6  # the type of colour of RGB, and the bytes of tRNS there
# Beside the critical ones, whose names begin with a capital, with the bytes that each has at least: Pillow refuses the
# image for an animation chunk that is shorter.
_KEPT = {b"tRNS": 1, b"acTL": 8, b"fcTL": 26, b"fdAT": 4}
_READ = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"tRNS"}
NEARLY_SRGB = 0.05  # a gamma this near to 1/2.2 (as a share) without primaries means sRGB, as libpng has it


@dataclass(frozen=True)
class PngFacts:
    """Bits a channel, type of colour, EXIF block, bytes of tRNS, profiles (the first usable wins), bytes of cICP."""

    depth: int = 8
    colour: int = 2
    exif: bytes = b""
    transparency: bytes = b""
    profiles: tuple[bytes, ...] = ()
    code_points: bytes = b""


def slim(content: bytes) -> tuple[bytes, PngFacts]:
    """``content`` without the chunks that no pixel needs, and what the chunks say. Never raises: damage is kept."""
    kept: list[tuple[int, int]] = [(0, len(SIGNATURE))]
    found: dict[bytes, bytes] = {}
    pixels = False
    end = len(SIGNATURE)
    for kind, data, start, end in _chunks(content):
        pixels |= kind == b"IDAT"
        spare = bool(kind[0] & 0x20)  # a small first letter: a reader may pass over it
        used = kind in _KEPT or kind in _READ
        sound = used and int.from_bytes(content[end - 4 : end], "big") == zlib.crc32(content[start + 4 : end - 4])
        if not spare or (kind in _KEPT and sound and end - start - 12 >= _KEPT[kind]):
            kept.append((start, end))
        if kind == b"IHDR" or (kind in _READ and sound and not pixels):
            found.setdefault(kind, data)
        if kind == b"IEND":
            break
    else:
        kept.append((end, len(content)))  # cut short or no chunks at all: Pillow says what is wrong
    head = found.get(b"IHDR", b"").ljust(13, b"\0")
    exif, clear, code_points = (found.get(kind, b"") for kind in (b"eXIf", b"tRNS", b"cICP"))
    facts = PngFacts(head[8], head[9], exif, clear, tuple(_profiles(found)), code_points)
    if sum(last - first for first, last in kept) == len(content):
        return content, facts
    return b"".join(content[first:last] for first, last in kept), facts


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Kind, data, and where the chunk starts and ends; stops before one that is cut."""
    start = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if start + 12 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + length
        if end > len(content):
            return
        data = content[start + 8 : end - 4] if kind in _READ or kind == b"IHDR" else b""
        yield kind, data, start, end
        start = end


def _profiles(found: dict[bytes, bytes]) -> Iterator[bytes]:
    if made := _from_code_points(found.get(b"cICP", b"")):
        yield made
    if profile := _unpacked(found.get(b"iCCP", b"")):
        yield profile
    if len(found.get(b"sRGB", b"")) == 1:
        return  # says that there is nothing to convert
    if made := _from_gamma(found.get(b"gAMA", b""), found.get(b"cHRM", b"")):
        yield made


def _unpacked(data: bytes) -> bytes:
    name, _, packed = data.partition(b"\0")
    if not name or packed[:1] != b"\0":
        return b""
    try:
        opened = zlib.decompressobj()
        profile = opened.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if opened.eof else b""


def _from_code_points(data: bytes) -> bytes:
    """A profile of the code points of ITU-T H.273; none for light without an upper end (PQ, HLG), nor for unknown."""
    if len(data) != 4 or data[0] not in PRIMARIES or data[1] not in TRANSFERS or data[2:] != b"\0\1":
        return b""
    return matrix_profile(PRIMARIES[data[0]], TRANSFERS[data[1]])


def _from_gamma(gamma: bytes, chroma: bytes) -> bytes:
    if len(gamma) != 4 or not (exponent := struct.unpack(">I", gamma)[0] / 100_000):
        return b""
    if not chroma:
        if abs(exponent * 2.2 - 1) <= NEARLY_SRGB:
            return matrix_profile(BT709, SRGB_CURVE)
        return matrix_profile(BT709, power_curve(1 / exponent))
    if len(chroma) != 32:
        return b""
    parts = [part / 100_000 for part in struct.unpack(">8I", chroma)]
    return matrix_profile(tuple(zip(parts[::2], parts[1::2], strict=True)), power_curve(1 / exponent))
