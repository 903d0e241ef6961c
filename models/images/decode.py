"""Bytes from anywhere become an RGB picture, or an UnreadableItem with a plain reason; nothing else gets out.

The content decides what a file is, never its name. Only raster formats that Pillow decodes by itself are opened. The
picture is the one that a browser shows, in sRGB and upright, its first frame, on a white page:
docs/explanation/images.md has the table, and a test holds it against a real Chromium.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from PIL import Image

from attune.models.files.atomic import digest_bytes
from attune.models.images.colour_profiles import to_srgb
from attune.models.images.exif_orientation import swaps_sides, upright
from attune.models.images.metadata import Marks
from attune.models.images.opening import (
    BROWSERS_SHOW,
    IMAGE_SUFFIXES,
    MAX_BYTES,
    MAX_PIXELS,
    MIME_TYPES,
    SUFFIXES,
    Source,
    read_image,
    silence_pillow,
)
from attune.models.images.pixel_values import eight_bits, on_background

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_BYTES",
    "MAX_PIXELS",
    "READING",
    "ImageInfo",
    "as_browser_shows",
    "decode",
    "inspect",
    "load",
    "looks_like_image",
    "silence_pillow",
]
# The version of the reading: to be raised where the same bytes become other pixels. Assets keep the version that they
# were last read with; `attune.models.images.reading_changes` finds those that a newer one shows otherwise.
READING = 2
FLAT = 8  # of 255: a picture whose channels all span less shows people one colour


@dataclass(frozen=True)
class ImageInfo:
    """What is known of an image: size in pixels as shown (turned upright), format, and the sha256 of its bytes.

    ``transparent``: it may let the page show through; ``flat``: as shown it is one colour (known of a whole one alone);
    ``browsers_differ``: browsers make other colours of it.
    """

    width: int
    height: int
    format: str
    animated: bool
    digest: str
    notes: tuple[str, ...] = ()
    transparent: bool = False
    flat: bool = False
    browsers_differ: bool = False

    @property
    def mimetype(self) -> str:
        """The media type of the bytes."""
        return MIME_TYPES[self.format]

    @property
    def browsers_show(self) -> bool:
        """Whether a browser shows the bytes as they are read here, whatever page it puts them on."""
        return self.format in BROWSERS_SHOW and not (self.animated or self.transparent or self.browsers_differ)


def decode(content: bytes, name: str, max_pixels: int = MAX_PIXELS, at_least: int | None = None) -> Image.Image:
    """The picture in ``content`` as RGB, 8 bits a channel, turned upright.

    ``name`` is for messages. With ``at_least`` a JPEG may be decoded smaller, to no less than that many pixels a side.
    Raises UnreadableItem with the reason.
    """

    def picture(opened: Image.Image, source: Source) -> Image.Image:
        load(opened, at_least)
        image = as_browser_shows(opened, source).copy()
        image.info = {}  # a profile that is done with, or was passed over, must not be written into what is made of it
        return image

    return read_image(content, name, max_pixels, picture)


def inspect(content: bytes, name: str, max_pixels: int = MAX_PIXELS, whole: bool = True) -> ImageInfo:
    """What ``content`` holds, decoded to its last byte to be sure, or its head alone where not ``whole``.

    Raises UnreadableItem with the reason.
    """

    def facts(opened: Image.Image, source: Source) -> ImageInfo:
        info = _info(opened, content, name, source.marks)
        if not whole:
            return info
        load(opened, at_least=64)
        simple = opened.mode in {"L", "RGB"} and not (info.transparent or source.marks.meaning.signed)
        picture = opened if simple else as_browser_shows(opened, source)
        spans = picture.getextrema() if picture.mode == "RGB" else (picture.getextrema(),)
        return replace(info, flat=all(high - low <= FLAT for low, high in spans))  # type: ignore[misc,operator]

    return read_image(content, name, max_pixels, facts)


def looks_like_image(head: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a format that is read here."""
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] == b"ftypavif"


def load(opened: Image.Image, at_least: int | None = None) -> None:
    """Decode the frame that counts, a JPEG perhaps smaller: no less than ``at_least`` pixels a side."""
    if at_least:
        opened.draft(None, (at_least, at_least))
    if opened.info.get("default_image"):
        opened.seek(1)  # an animated PNG's picture for those who know no animation is not what a browser shows
    opened.load()


def as_browser_shows(opened: Image.Image, source: Source) -> Image.Image:
    """A loaded picture as a browser shows it: RGB."""
    marks = source.marks
    picture = to_srgb(eight_bits(opened, marks.meaning), marks.profiles)
    if marks.frame is not None:
        whole = Image.new("RGBA", picture.size)
        whole.paste(picture.convert("RGBA").crop(marks.frame), marks.frame[:2])
        picture = whole
    return upright(on_background(picture), marks.orientation)


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
    digest = digest_bytes(content)
    differs = marks.browsers_differ
    return ImageInfo(width, height, kind, animated, digest, tuple(notes), clear, browsers_differ=differs)


def _animated(opened: Image.Image) -> bool:
    """Whether frames follow. Never counted: a TIFF's pages, and the pictures beside a photograph, are not looked at."""
    if opened.format in {"TIFF", "MPO"}:
        return False
    try:
        return bool(getattr(opened, "is_animated", False))
    except Exception:  # a second frame that is damaged costs the first one nothing
        return False
