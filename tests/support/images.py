"""Images that people really have: odd ones that must work, and broken ones that must be refused by name."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from tests.support.factories import picture


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of ``image`` in a format."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def scene(mode: str = "RGB", number: int = 1) -> Image.Image:
    """A drawing in some mode of colour."""
    return Image.open(BytesIO(picture(number))).convert(mode)


def deep_grey() -> bytes:
    """A PNG of 16 bits a pixel whose values fill the whole range."""
    ramp = np.linspace(0, 65535, 96 * 64).reshape(64, 96).astype(np.uint16)
    return encoded(Image.fromarray(ramp), "PNG")


def turned() -> bytes:
    """A JPEG of 240 x 320 stored pixels that its camera held sideways."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(scene(), "JPEG", exif=exif)


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 30,000 x 30,000 pixels."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def animation() -> bytes:
    """A GIF of three frames, red, green and blue."""
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)


def clear() -> bytes:
    """A PNG that is transparent but for a red square in its middle."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (24, 24, 40, 40))
    return encoded(image, "PNG")


def clear_palette() -> bytes:
    """A PNG with a palette and transparency in bytes, of which Pillow warns."""
    image = scene().convert("P")
    return encoded(image, "PNG", transparency=bytes(range(256)))


def hurt() -> bytes:
    """A PNG in whose middle some bytes were overwritten."""
    content = bytearray(encoded(scene("RGB", 2), "PNG"))
    content[200:260] = bytes(60)
    return bytes(content)


GOOD: dict[str, bytes] = {
    "plain.jpg": picture(1),
    "grey.png": encoded(scene("L", 2), "PNG"),
    "deep grey.png": deep_grey(),
    "float.tiff": encoded(scene("F", 3), "TIFF"),
    "print (CMYK).jpg": encoded(scene("CMYK", 4), "JPEG"),
    "clear.png": clear(),
    "palette.png": clear_palette(),
    "black and white.png": encoded(scene("1", 5), "PNG"),
    "film.gif": animation(),
    "really a png.jpg": encoded(scene("RGB", 6), "PNG"),
    "sideways.jpg": turned(),
    "été 夏 ☀.webp": encoded(scene("RGB", 7), "WEBP"),
    "scan.tif": encoded(scene("RGB", 8), "TIFF"),
    "old.bmp": encoded(scene("RGB", 9), "BMP"),
}

BAD: dict[str, tuple[bytes, str]] = {  # name: content, reason
    "empty.jpg": (b"", "empty"),
    "cut.jpg": (picture(1)[: len(picture(1)) // 2], "truncated"),
    "cut.png": (encoded(scene("RGB", 2), "PNG")[:900], "truncated"),
    "stub.jpg": (picture(1)[:20], "not an image"),
    "bomb.png": (bomb(), "too many pixels"),
    "sliver.png": (encoded(Image.new("RGB", (4000, 2)), "PNG"), "a sliver"),
    "notes.jpg": (b"Dear all, the picture is attached.\n", "not an image"),
    "page.png": (b"<!DOCTYPE html><title>404</title>", "not an image"),
    "drawing.png": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not an image"),
    "poster.jpg": (b"%PDF-1.7\n", "not an image"),
    "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not an image"),
    "noise.png": (hurt(), "damaged"),
}
