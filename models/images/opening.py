"""Open the bytes of an image: which formats, how large, what they say beside the pixels; and the words of a refusal.

The content decides what a file is, never its name. Only raster formats that Pillow decodes by itself are opened, and
nothing is decoded before the size is known to be bearable.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from attune.models.errors import UnreadableItem
from attune.models.images.metadata import Marks, read_marks
from attune.models.images.pixel_values import is_deep
from attune.models.images.png_chunks import CLEAR_COLOUR, COLOUR, SIGNATURE, PngFacts, slim
from attune.models.images.tiff_kinds import unread_kind

T = TypeVar("T")
MAX_BYTES = 256 * 2**20
MAX_PIXELS = 100_000_000
DEEP_BYTES = 4  # a pixel of 16 or 32 bits counts as so many: telling how dark it is takes ten times an ordinary one's
MAX_SCANS = 99  # of a progressive JPEG, which has about ten; each one goes through all its pixels again
SCAN = b"\xff\xda"  # where one begins (JPEG's marker SOS); a byte FF of the pixels is followed by 00
MAX_ASPECT = 40  # beyond this the short side vanishes when an encoder resizes the picture

# Named one by one: Pillow would also start a PostScript interpreter, or follow a file's references to others.
MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "PPM": "image/x-portable-anymap",
}
SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".mpo"},
    "PNG": {".png", ".apng"},
    "GIF": {".gif"},
    "WEBP": {".webp"},
    "AVIF": {".avif", ".avifs"},
    "BMP": {".bmp", ".dib"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
}
IMAGE_SUFFIXES = frozenset().union(*SUFFIXES.values())
BROWSERS_SHOW = {"JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "BMP"}

_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")  # one that ends or has a length; neither filling nor a restart
_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@dataclass(frozen=True)
class Source:
    """The bytes of an image, and what they say beside the pixels."""

    content: bytes
    marks: Marks


def read_image(content: bytes, name: str, max_pixels: int, take: Callable[[Image.Image, Source], T]) -> T:
    """Open ``content``, check its head, and ``take`` from it, not loaded yet; any failure becomes an UnreadableItem."""
    silence_pillow()
    if not content:
        raise UnreadableItem(f"{name} is empty (0 bytes). Copy it again from its source.", "empty")
    if len(content) > MAX_BYTES:
        raise UnreadableItem(
            f"{name} has more than {MAX_BYTES:,} bytes, the largest size that Attune reads. Make it smaller.",
            "too many bytes",
        )
    try:
        given, png = slim(content) if content.startswith(SIGNATURE) else (content, None)
        with Image.open(BytesIO(given), formats=formats()) as opened:
            _check_size(opened, name, max_pixels, is_deep(opened) or _read_twice(png))
            _check_scans(opened, given, name)
            return take(opened, Source(content, _marks(opened, given, png)))
    except UnreadableItem:
        raise
    except UnidentifiedImageError as error:
        if kind := unread_kind(content):
            raise UnreadableItem(
                f"{name} is a kind of TIFF that Attune cannot read {kind}.", "a kind of TIFF"
            ) from error
        raise UnreadableItem(f"{name} {_what_else(content)}. {_KNOWN}", "not an image") from error
    except Image.DecompressionBombError as error:
        # Pillow's own last resort speaks before we have seen the size; its message holds the number.
        held = next((int(number) for number in re.findall(r"\d+", str(error))), 0)
        raise _too_large(name, f"{held:,}", max_pixels) from error
    except Exception as error:  # decoders of damaged bytes raise all kinds: SyntaxError, struct.error, KeyError, …
        raise _damaged(name, error) from error


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """The formats that this Pillow was built with; it opens MPO by way of JPEG."""
    Image.init()
    return tuple(kind for kind in MIME_TYPES if kind in Image.OPEN)


_KNOWN = "Attune reads JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF and PPM."


def _check_size(opened: Image.Image, name: str, max_pixels: int, is_deep: bool) -> None:
    """Look at the header alone: nothing is decoded before the size is known to be bearable."""
    width, height = opened.size
    deep = DEEP_BYTES if is_deep else 1
    if width * height * deep > max_pixels:
        held = f"{width} x {height} = {width * height:,}"
        raise _too_large(name, held if deep == 1 else f"{held} deep", max_pixels // deep)
    if min(width, height) < 1 or max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableItem(
            f"{name} is {width} x {height} pixels. One side is more than {MAX_ASPECT} times the other, so an "
            "encoder cannot use it. Crop it.",
            "a sliver",
        )


def _read_twice(png: PngFacts | None) -> bool:
    """Whether a picture has 16 bits a channel and one clear colour: `_low_bytes` has it decoded once more."""
    return png is not None and png.depth == 16 and png.colour == COLOUR and len(png.transparency) >= CLEAR_COLOUR


def _check_scans(opened: Image.Image, content: bytes, name: str) -> None:
    """Refuse what takes minutes to decode: a scan of 75 bytes may go through a hundred million pixels."""
    if opened.format not in {"JPEG", "MPO"} or content.count(SCAN) <= MAX_SCANS:
        return
    # So many may also stand in what is not decoded, such as the film that a telephone puts behind its photo.
    held = _scans(content)
    if held > MAX_SCANS:
        raise UnreadableItem(
            f"{name} has {held:,} scans; expected at most {MAX_SCANS}. Save it again as an ordinary JPEG.",
            "too many scans",
        )


def _scans(content: bytes) -> int:
    """Scans of a JPEG up to its end (EOI), counted from marker to marker as libjpeg goes (ITU-T T.81, annex B)."""
    held, at = 0, 2
    while (found := _MARKER.search(content, at)) and found[1] != b"\xd9":
        held += found[1] == SCAN[1:]
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2], "big")
    return held


def _marks(opened: Image.Image, given: bytes, png: PngFacts | None) -> Marks:
    marks = read_marks(opened, given, png)
    if marks.meaning.depth == 16 and opened.mode == "RGB" and marks.meaning.clear:
        return replace(marks, meaning=replace(marks.meaning, low_bytes=_low_bytes(given)))
    return marks


def _low_bytes(content: bytes) -> Image.Image:
    """The second byte of each number of a PNG of 16 bits a channel, of which Pillow keeps the first."""
    with Image.open(BytesIO(content), formats=("PNG",)) as again:
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
        again.load()
        return again.copy()


def silence_pillow() -> None:
    """Have Pillow's warnings ignored; what matters of them comes as UnreadableItem.

    ``warnings.catch_warnings`` is of no use here: it is not safe between threads, and images are read by several.
    """
    if _QUIET not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _too_large(name: str, held: str, limit: int) -> UnreadableItem:
    return UnreadableItem(
        f"{name} has {held} pixels, but Attune decodes at most {limit:,}. Make it smaller, or set ATTUNE_MAX_PIXELS.",
        "too many pixels",
    )


def _damaged(name: str, error: Exception) -> UnreadableItem:
    text = str(error).rstrip(".")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return UnreadableItem(
            f"{name} ends too early: a part of the image is missing. Copy it again from its source.", "truncated"
        )
    return UnreadableItem(f"{name} is damaged and cannot be decoded. Copy it again from its source.", "damaged")


_OTHER_KINDS = {
    b"%pdf": "is a PDF document",
    b"pk\x03\x04": "is a ZIP archive",
    b"8bps": "is a Photoshop file",
    b"<!doctype": "is a web page",
    b"<html": "is a web page",
}


def _what_else(content: bytes) -> str:
    head = content[:512].lstrip().lower()
    for mark, what in _OTHER_KINDS.items():
        if head.startswith(mark):
            return what
    if b"<svg" in head:
        return "is an SVG drawing, which has no pixels"
    if head[4:8] == b"ftyp":
        return "is a film or an HEIC image"
    return "is not an image that can be read"
