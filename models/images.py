"""Bytes from anywhere become an RGB picture, or an UnreadableItem with a plain reason; nothing else gets out.

The content decides what a file is, never its name. Only raster formats that Pillow decodes by itself are opened. The
picture is the one that a browser shows, in sRGB and upright, its first frame, on a white page: docs/images.md has the
table, and a test holds it against a real Chromium.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import PurePosixPath
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from models.colour_profiles import to_srgb
from models.errors import UnreadableItem
from models.exif_orientation import swaps_sides, turned
from models.files import digest_bytes
from models.image_marks import Marks, read_marks
from models.pixel_values import eight_bits, is_deep, on_background
from models.png_chunks import SIGNATURE, PngFacts, slim

T = TypeVar("T")
# The version of the reading: to be raised where the same bytes become other pixels. Assets keep the version that they
# were last read with; `models.reading_changes` finds those that a newer one shows otherwise.
READING = 2
FLAT = 8  # of 255: a picture whose channels all span less shows people one colour
MAX_BYTES = 256 * 2**20
MAX_PIXELS = 100_000_000
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

_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@dataclass(frozen=True)
class ImageInfo:
    """What is known of an image: size in pixels as shown (turned upright), format, and the sha256 of its bytes.

    ``transparent``: it may let the page show through; ``flat``: as shown it is one colour (known of a whole one alone).
    """

    width: int
    height: int
    format: str
    animated: bool
    digest: str
    notes: tuple[str, ...] = ()
    transparent: bool = False
    flat: bool = False

    @property
    def mimetype(self) -> str:
        """The media type of the bytes."""
        return MIME_TYPES[self.format]

    @property
    def browsers_show(self) -> bool:
        """Whether a browser shows the bytes as they are read here, whatever page it puts them on."""
        return self.format in BROWSERS_SHOW and not self.animated and not self.transparent


def decode(content: bytes, name: str, max_pixels: int = MAX_PIXELS, at_least: int | None = None) -> Image.Image:
    """The picture in ``content`` as RGB, 8 bits a channel, turned upright.

    ``name`` is for messages. With ``at_least`` a JPEG may be decoded smaller, to no less than that many pixels a side.
    Raises UnreadableItem with the reason.
    """

    def picture(opened: Image.Image, _info: ImageInfo, source: _Source) -> Image.Image:
        _load(opened, at_least)
        return _shown(opened, source)

    return _read(content, name, max_pixels, picture)


def inspect(content: bytes, name: str, max_pixels: int = MAX_PIXELS, whole: bool = True) -> ImageInfo:
    """What ``content`` holds, decoded to its last byte to be sure, or its head alone where not ``whole``.

    Raises UnreadableItem with the reason.
    """

    def facts(opened: Image.Image, info: ImageInfo, source: _Source) -> ImageInfo:
        if not whole:
            return info
        _load(opened, at_least=64)
        simple = opened.mode in {"L", "RGB"} and not info.transparent
        shown = opened if simple else _shown(opened, source)
        spans = shown.getextrema() if shown.mode == "RGB" else (shown.getextrema(),)
        return replace(info, flat=all(high - low <= FLAT for low, high in spans))  # type: ignore[misc,operator]

    return _read(content, name, max_pixels, facts)


def looks_like_image(head: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a format that is read here."""
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] == b"ftypavif"


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """The formats that this Pillow was built with; it opens MPO by way of JPEG."""
    Image.init()
    return tuple(kind for kind in MIME_TYPES if kind in Image.OPEN)


@dataclass(frozen=True)
class _Source:
    """The bytes that Pillow was given, and what they say beside the pixels."""

    content: bytes
    marks: Marks


def _load(opened: Image.Image, at_least: int | None) -> None:
    if at_least:
        opened.draft(None, (at_least, at_least))
    if opened.info.get("default_image"):
        opened.seek(1)  # an animated PNG's picture for those who know no animation is not what a browser shows
    opened.load()


def _read(content: bytes, name: str, max_pixels: int, take: Callable[[Image.Image, ImageInfo, _Source], T]) -> T:
    """Open ``content``, check its head, and ``take`` from it; every failure becomes an UnreadableItem."""
    silence_pillow()
    if not content:
        raise UnreadableItem(f"{name} is empty (0 bytes). Copy it again from where it came.", "empty")
    if len(content) > MAX_BYTES:
        raise UnreadableItem(
            f"{name} has more than {MAX_BYTES:,} bytes, the most that is read. Make it smaller.", "too many bytes"
        )
    try:
        given, png = slim(content) if content.startswith(SIGNATURE) else (content, None)
        with Image.open(BytesIO(given), formats=_formats()) as opened:
            _check_size(opened, name, max_pixels)
            source = _Source(given, _marks(opened, given, png))
            return take(opened, _info(opened, content, name, source.marks), source)
    except UnreadableItem:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableItem(f"{name} {_what_else(content)}. {_KNOWN}", "not an image") from error
    except Image.DecompressionBombError as error:
        # Pillow's own last resort speaks before we have seen the size; its message holds the number.
        held = next((int(number) for number in re.findall(r"\d+", str(error))), 0)
        raise _too_large(name, f"{held:,}", max_pixels) from error
    except Exception as error:  # decoders of damaged bytes raise all kinds: SyntaxError, struct.error, KeyError, …
        raise _damaged(name, error) from error


_KNOWN = "Images are JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF or PPM."


def _check_size(opened: Image.Image, name: str, max_pixels: int) -> None:
    """Look at the header alone: nothing is decoded before the size is known to be bearable."""
    width, height = opened.size
    if width * height > max_pixels:
        raise _too_large(name, f"{width} x {height} = {width * height:,}", max_pixels)
    if min(width, height) < 1 or max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableItem(
            f"{name} is {width} x {height} pixels: a sliver of more than {MAX_ASPECT} to 1 shows an encoder nothing. "
            "Crop it.",
            "a sliver",
        )


def _info(opened: Image.Image, content: bytes, name: str, marks: Marks) -> ImageInfo:
    kind = str(opened.format)
    animated = _animated(opened)
    notes = []
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES and suffix not in SUFFIXES[kind]:
        notes.append(f"{kind} content under the name {suffix}")
    if animated:
        notes.append("animated: its first frame counts")
    width, height = opened.size[::-1] if swaps_sides(marks.orientation) else opened.size
    clear = bool(marks.meaning.clear or marks.frame) or opened.has_transparency_data
    return ImageInfo(width, height, kind, animated, digest_bytes(content), tuple(notes), clear)


def _animated(opened: Image.Image) -> bool:
    """Whether frames follow. Never counted: a TIFF's pages, and the pictures beside a photograph, are not looked at."""
    if opened.format in {"TIFF", "MPO"}:
        return False
    try:
        return bool(getattr(opened, "is_animated", False))
    except Exception:  # a second frame that is damaged costs the first one nothing
        return False


def _marks(opened: Image.Image, given: bytes, png: PngFacts | None) -> Marks:
    marks = read_marks(opened, png)
    if marks.meaning.depth == 16 and opened.mode == "RGB" and marks.meaning.clear:
        return replace(marks, meaning=replace(marks.meaning, low_bytes=_low_bytes(given)))
    return marks


def _low_bytes(content: bytes) -> Image.Image:
    """The second byte of each number of a PNG of 16 bits a channel, of which Pillow keeps the first."""
    with Image.open(BytesIO(content), formats=("PNG",)) as again:
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
        again.load()
        return again.copy()


def _shown(opened: Image.Image, source: _Source) -> Image.Image:
    """The loaded picture as a browser shows it."""
    marks = source.marks
    picture = to_srgb(eight_bits(opened, marks.meaning), marks.profiles)
    if marks.frame is not None:
        whole = Image.new("RGBA", picture.size)
        whole.paste(picture.convert("RGBA").crop(marks.frame), marks.frame[:2])
        picture = whole
    return turned(on_background(picture), marks.orientation)


def silence_pillow() -> None:
    """Have Pillow's warnings ignored; what matters of them comes as UnreadableItem.

    ``warnings.catch_warnings`` is of no use here: it is not safe between threads, and images are read by several.
    """
    if _QUIET not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _too_large(name: str, held: str, limit: int) -> UnreadableItem:
    return UnreadableItem(
        f"{name} has {held} pixels; at most {limit:,} are decoded. Make it smaller, or set ATTUNE_MAX_PIXELS.",
        "too many pixels",
    )


def _damaged(name: str, error: Exception) -> UnreadableItem:
    text = str(error).rstrip(".")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return UnreadableItem(f"{name} ends before its image does ({text}). Copy it again.", "truncated")
    return UnreadableItem(f"{name} is damaged ({type(error).__name__}: {text}). Copy it again.", "damaged")


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
    return "holds no image that can be read"
