"""Bytes from anywhere become an RGB picture, or an UnreadableItem with a plain reason; nothing else gets out.

The content decides what a file is, never its name. Only raster formats that Pillow decodes by itself are opened. Of an
animation the first frame counts; transparency is laid on white, as a browser's page shows it; a photograph is turned
as its camera says.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from models.errors import UnreadableItem
from models.files import digest_bytes

T = TypeVar("T")
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
    """What is known of an image: size in pixels as shown (turned upright), format, and the sha256 of its bytes."""

    width: int
    height: int
    format: str
    frames: int
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def mimetype(self) -> str:
        """The media type of the bytes."""
        return MIME_TYPES[self.format]

    @property
    def browsers_show(self) -> bool:
        """Whether a browser shows the bytes as they are."""
        return self.format in BROWSERS_SHOW


def decode(content: bytes, name: str, max_pixels: int = MAX_PIXELS, at_least: int | None = None) -> Image.Image:
    """The picture in ``content`` as RGB, 8 bits a channel, turned upright.

    ``name`` is for messages. With ``at_least`` a JPEG may be decoded smaller, to no less than that many pixels a side.
    Raises UnreadableItem with the reason.
    """

    def picture(opened: Image.Image, _info: ImageInfo) -> Image.Image:
        _load(opened, at_least)
        return _upright_rgb(opened)

    return _read(content, name, max_pixels, picture)


def inspect(content: bytes, name: str, max_pixels: int = MAX_PIXELS, whole: bool = True) -> ImageInfo:
    """What ``content`` holds, decoded to its last byte to be sure, or its head alone where not ``whole``.

    Raises UnreadableItem with the reason.
    """

    def facts(opened: Image.Image, info: ImageInfo) -> ImageInfo:
        if whole:
            _load(opened, at_least=64)
        return info

    return _read(content, name, max_pixels, facts)


def looks_like_image(head: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a format that is read here."""
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] == b"ftypavif"


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """The formats that this Pillow was built with; it opens MPO by way of JPEG."""
    Image.init()
    return tuple(kind for kind in MIME_TYPES if kind in Image.OPEN)


def _load(opened: Image.Image, at_least: int | None) -> None:
    if at_least:
        opened.draft(None, (at_least, at_least))
    opened.load()


def _read(content: bytes, name: str, max_pixels: int, take: Callable[[Image.Image, ImageInfo], T]) -> T:
    """Open ``content``, check its head, and ``take`` from it; every failure becomes an UnreadableItem."""
    silence_pillow()
    if not content:
        raise UnreadableItem(f"{name} is empty (0 bytes). Copy it again from where it came.", "empty")
    if len(content) > MAX_BYTES:
        raise UnreadableItem(
            f"{name} has more than {MAX_BYTES:,} bytes, the most that is read. Make it smaller.", "too many bytes"
        )
    try:
        with Image.open(BytesIO(content), formats=_formats()) as opened:
            return take(opened, _checked(opened, content, name, max_pixels))
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


def _checked(opened: Image.Image, content: bytes, name: str, max_pixels: int) -> ImageInfo:
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
    kind = str(opened.format)
    frames = int(getattr(opened, "n_frames", 1))
    notes = []
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES and suffix not in SUFFIXES[kind]:
        notes.append(f"{kind} content under the name {suffix}")
    if frames > 1 and kind not in {"MPO", "TIFF"}:
        notes.append("animated: its first frame counts")
    if _turned(opened):
        width, height = height, width
    return ImageInfo(width, height, kind, frames, digest_bytes(content), tuple(notes))


def _turned(opened: Image.Image) -> bool:
    return opened.getexif().get(0x0112) in {5, 6, 7, 8}


def _upright_rgb(opened: Image.Image) -> Image.Image:
    picture = ImageOps.exif_transpose(opened)
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        picture = _eight_bits(picture)
    if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(ground, layer)
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, scaled to 8: Pillow's own conversion would clip nearly everything to white."""
    values = np.asarray(picture, dtype=np.float64)
    if picture.mode == "F":
        values = values - values.min()
    top = values.max() if picture.mode == "F" or values.max() > 65535 else 65535
    return Image.fromarray(np.clip(values * (255 / max(top, 1e-12)), 0, 255).round().astype(np.uint8))


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
