"""Which images a newer reading shows otherwise: those alone are embedded again.

For each older version of the reading its code stays here, as small as it can be. A plain file is known to be alike from
its head; of the others both readings are decoded and compared pixel by pixel.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from attune.models.images.colour_profiles import converts
from attune.models.images.decode import MAX_PIXELS, READING, as_browser_shows, load
from attune.models.images.opening import Source, formats, read_image

_PLAIN_FORMATS = {"JPEG", "MPO", "PNG", "WEBP", "AVIF", "BMP", "GIF"}
_PLAIN_MODES = {"1", "L", "LA", "RGB", "RGBA", "CMYK"}
_ORIENTATION = 0x0112


def looks_different(content: bytes, name: str, since: int, max_pixels: int = MAX_PIXELS) -> bool:
    """Whether today's reading of ``content`` has other pixels than version ``since`` had, or that one failed.

    Raises UnreadableItem where today's reading fails.
    """
    if since >= READING:
        return False

    def compared(opened: Image.Image, source: Source) -> bool:
        if _alike_by_head(opened, source):
            return False
        load(opened)
        today = as_browser_shows(opened, source)
        try:
            before = _reading_1(content)
        except Exception:  # it refused the image, for whatever reason, so there is nothing of it to keep
            return True
        return today.size != before.size or not np.array_equal(np.asarray(today), np.asarray(before))

    return read_image(content, name, max_pixels, compared)


def _alike_by_head(opened: Image.Image, source: Source) -> bool:
    """Whether the head alone shows that no reading has turned, coloured or cleared the picture."""
    if opened.format not in _PLAIN_FORMATS or opened.mode not in _PLAIN_MODES or opened.info.get("default_image"):
        return False
    if not source.marks.bare or converts(source.marks.profiles, opened.mode):
        return False
    if opened.format == "PNG":  # Pillow sees no text of it any more; the bytes may be the pixels' own, which costs time
        return not any(kind in source.content for kind in (b"eXIf", b"iTXt", b"tEXt", b"zTXt"))
    try:
        return opened.getexif().get(_ORIENTATION, 1) not in range(2, 9)
    except Exception:  # an EXIF block that Pillow cannot read: the other way will show it
        return False


def _reading_1(content: bytes) -> Image.Image:
    """As it was until November 2026: by Pillow's own conversions. Raises all kinds on what it could not read."""
    with Image.open(BytesIO(content), formats=formats()) as opened:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
        if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
            values = np.asarray(picture, dtype=np.float64)
            if picture.mode == "F":
                values = values - values.min()
            top = values.max() if picture.mode == "F" or values.max() > 65535 else 65535
            picture = Image.fromarray(np.clip(values * (255 / max(top, 1e-12)), 0, 255).round().astype(np.uint8))
        if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
            layer = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        return picture.convert("RGB")
