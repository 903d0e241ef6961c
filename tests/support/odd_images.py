"""Pictures as real programs write them, built byte by byte where no library would: what a browser shows is the rule."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SIZE = (96, 64)  # no square: a picture that was turned once too often shows by its size
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
XMP += b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>'
BT709 = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))  # white, red, green, blue
WIDE = ((0.3127, 0.3290), (0.70, 0.29), (0.20, 0.72), (0.14, 0.05))
SWAPPED = (BT709[0], BT709[2], BT709[1], BT709[3])  # red is green, green is red


def scene(mode: str = "RGB") -> Image.Image:
    """Four fields and ramps of colour, no two corners alike."""
    width, height = SIZE
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    values = np.stack([x * 255, y * 200 + 20, (1 - x) * 180 + 30], axis=-1)
    values[: height // 2, : width // 2] *= (0.9, 0.4, 0.3)
    values[height // 2 :, width // 2 :, 0] = 230
    return Image.fromarray(values.round().astype(np.uint8)).convert(mode)


def grey() -> npt.NDArray[np.float64]:
    """Brightness of the scene, 0 to 1, (height, width)."""
    values = np.asarray(scene("L"), dtype=np.float64) / 255
    return (values - values.min()) / (values.max() - values.min())


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of ``image`` in a format; AVIF at its quickest, as no test asks how small it is."""
    out = BytesIO()
    image.save(out, kind, **({"speed": 10} if kind == "AVIF" else {}) | options)
    return out.getvalue()


# -- EXIF --------------------------------------------------------------------------------------------------------------
def exif(orientation: int, kind: int = 3, count: int = 1, order: str = "<", more: Sequence[bytes] = ()) -> bytes:
    """An EXIF block (without its preface) of one entry 274 of TIFF type ``kind``, and further entries of 12 bytes."""
    value = {1: "B3x", 3: "H2x", 4: "I", 7: "B3x", 8: "h2x", 9: "i", 11: "f"}.get(kind, "I")
    entry = struct.pack(f"{order}HHI{value}", 274, kind, count, orientation)
    entries = sorted([entry, *more], key=lambda one: struct.unpack(f"{order}H", one[:2]))
    body = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}I", 0)
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}I", 8) + body + b"\0" * 32


def rational_unit(order: str = "<") -> bytes:
    """An entry for the unit of resolution as a rational, which no library expects."""
    return struct.pack(f"{order}HHII", 296, 5, 1, 26)


def jpeg(image: Image.Image | None = None, segments: Sequence[tuple[int, bytes]] = (), **options: Any) -> bytes:
    """A JPEG with further segments (marker, content) after its start."""
    content = encoded(image or scene(), "JPEG", **{"quality": 95, "subsampling": 0} | options)
    added = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments)
    return content[:2] + added + content[2:]


def turned_jpeg(orientation: int, **how: Any) -> bytes:
    """A JPEG whose camera was held some way."""
    return jpeg(segments=[(0xE1, b"Exif\0\0" + exif(orientation, **how))])


def with_icc(content: bytes, profile: bytes) -> bytes:
    """A JPEG with a colour profile put in."""
    segment = b"ICC_PROFILE\0\x01\x01" + profile
    return content[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + content[2:]


# -- PNG ---------------------------------------------------------------------------------------------------------------
def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values: npt.NDArray[Any], colour: int, depth: int = 8, chunks: Sequence[bytes] = ()) -> bytes:
    """A PNG of ``values`` (height, width[, channels]) with ``chunks`` between its head and its pixels."""
    height, width = values.shape[:2]
    flat = values.reshape(height, -1)
    if depth == 16:
        rows = flat.astype(">u2").view(np.uint8).reshape(height, -1)
    elif depth == 8:
        rows = flat.astype(np.uint8)
    else:
        bits = np.unpackbits(flat.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=-1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    middle = b"".join(chunks) + chunk(b"IDAT", zlib.compress(body, 1))
    return b"\x89PNG\r\n\x1a\n" + head + middle + chunk(b"IEND", b"")


def rgb_png(*chunks: bytes) -> bytes:
    """The scene as a PNG of 8 bits with further chunks."""
    return png(np.asarray(scene()), 2, 8, chunks)


def iccp(profile: bytes) -> bytes:
    """A colour profile as a PNG holds it."""
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))


def gama(gamma: float) -> bytes:
    """The chunk for a picture that was encoded with this exponent, such as 1 / 2.2."""
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(points: Sequence[tuple[float, float]]) -> bytes:
    """The chunk for the white point and the primaries."""
    return chunk(b"cHRM", struct.pack(">8I", *(round(part * 100_000) for point in points for part in point)))


def itxt(key: bytes, text: bytes, compressed: bool = False) -> bytes:
    """International text."""
    return chunk(
        b"iTXt", key + b"\0" + bytes([compressed, 0]) + b"\0\0" + (zlib.compress(text) if compressed else text)
    )


def deep(channels: int, top: int = 65535) -> npt.NDArray[np.uint16]:
    """The scene with 16 bits, with 1 to 4 channels: grey, grey and alpha, RGB, RGBA."""
    light, colours = grey()[..., None], np.asarray(scene(), dtype=np.float64) / 255
    clear = np.linspace(0, 1, SIZE[0])[None, :, None] * np.ones((SIZE[1], 1, 1))
    parts = {1: [light], 2: [light, clear], 3: [colours], 4: [colours, clear]}[channels]
    return (np.concatenate(parts, axis=-1) * top).round().astype(np.uint16)


# -- ICC ---------------------------------------------------------------------------------------------------------------
def _profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", start + len(body), b"", 0x02400000, kind, space, connection, b"\0" * 12, b"acsp"
    )
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def _text() -> dict[bytes, bytes]:
    return {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"test\0" + b"\0" * 78,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
    }


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1.0, 0.8249])


def rgb_profile(points: Sequence[tuple[float, float]] = SWAPPED, gamma: float = 2.2) -> bytes:
    """A profile of three primaries and an exponent."""
    white, *primaries = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in points)
    matrix = np.stack(primaries, axis=1)
    matrix = matrix * np.linalg.solve(matrix, white)
    scale = (BRADFORD @ D50) / (BRADFORD @ white)
    adapted = np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD @ matrix
    tags = _text()
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), adapted.T, strict=True):
        tags[name] = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(part * 65536) for part in column))
    return _profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma)))


def grey_profile(gamma: float = 1.0) -> bytes:
    """A profile of grey with an exponent."""
    return _profile(b"GRAY", _text() | {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """A profile of print whose inks are unlike the plain ones: a table of 16 corners to Lab, 8 bits."""
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if place in {0, 4, 8} else 0 for place in range(9)))
    rows = []
    for place in range(16):
        c, m, y, k = (place >> 3) & 1, (place >> 2) & 1, (place >> 1) & 1, place & 1
        light = 245 * (1 - 0.4 * c) * (1 - 0.5 * m) * (1 - 0.1 * y) * (1 - 0.85 * k)
        rows.append(bytes([int(light), int(128 - 45 * c + 60 * m - 5 * y), int(128 - 40 * c + 5 * m + 75 * y)]))
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix
    table = head + ramp * 4 + b"".join(rows) + ramp * 3
    return _profile(b"CMYK", _text() | {b"A2B0": table, b"A2B1": table}, b"Lab ", b"prtr")


# -- GIF, animated PNG, print ------------------------------------------------------------------------------------------
def cmyk_jpeg(transform: int = 0, adobe: bool = True) -> bytes:
    """The scene in inks as a JPEG, with Adobe's inverted values; ``transform`` 2 says YCCK."""
    content = encoded(scene("CMYK"), "JPEG", quality=95, subsampling=0)
    at = content.find(b"Adobe")
    return (
        content[: at + 11] + bytes([transform]) + content[at + 12 :]
        if adobe
        else content[: at - 4] + content[at + 12 :]
    )


def small_frame() -> bytes:
    """A GIF whose first frame leaves most of the picture empty."""
    content = encoded(scene().resize((40, 30)).quantize(64), "GIF")
    return content[:6] + struct.pack("<HH", *SIZE) + content[10:]


def animated_png(hidden: bool) -> bytes:
    """An animated PNG; with ``hidden`` the picture for those who know no animation is none of its frames."""
    first, second = np.asarray(scene()), 255 - np.asarray(scene())
    packed = [zlib.compress(b"".join(b"\0" + row.tobytes() for row in one)) for one in (first, second)]

    def control(number: int) -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *SIZE, 0, 0, 100, 1000, 0, 0))

    body = chunk(b"acTL", struct.pack(">II", 1 if hidden else 2, 0)) + (b"" if hidden else control(0))
    body += chunk(b"IDAT", packed[0]) + control(0 if hidden else 1)
    body += chunk(b"fdAT", struct.pack(">I", 1 if hidden else 2) + packed[1])
    return rgb_png()[:33] + body + chunk(b"IEND", b"")


def late(*chunks: bytes) -> bytes:
    """A PNG with chunks behind its pixels, where nobody looks for them."""
    content = rgb_png()
    return content[:-12] + b"".join(chunks) + content[-12:]


def trns(*values: int) -> bytes:
    """The chunk that names the transparent value."""
    return chunk(b"tRNS", struct.pack(f">{len(values)}H", *values))


def with_alpha() -> Image.Image:
    """The scene, more transparent where it is darker."""
    return Image.merge("RGBA", (*scene().split(), Image.fromarray((grey() * 255).round().astype(np.uint8))))


def steps(depth: int) -> npt.NDArray[np.int64]:
    """Brightness of the scene in a few bits."""
    return np.round(grey() * (2**depth - 1)).astype(np.int64)


def _cicp(*points: int) -> bytes:
    return rgb_png(chunk(b"cICP", bytes(points)))


def _near(clear: int) -> npt.NDArray[np.uint16]:
    """16 bits in which a field has the transparent value and another differs from it in the low byte alone."""
    values = deep(3).copy()
    values[:20], values[20:40] = clear, clear & 0xFF00
    return values


@cache
def shown() -> dict[str, bytes]:
    """Odd pictures of the formats that a browser shows, by name; what it shows is asked of the browser itself."""
    grey8, palette = steps(8), scene().quantize(16)
    pair = np.stack([grey8, grey8[:, ::-1]], axis=-1)
    raw = b"\nexif\n%8d\n" % (6 + len(exif(6))) + (b"Exif\0\0" + exif(6)).hex().encode() + b"\n"
    wide, swapped, light = rgb_profile(WIDE, 1.8), rgb_profile(), grey_profile()
    turned = {f"turned {number}.jpg": turned_jpeg(number) for number in range(10)}
    typed = {
        f"turned as type {kind} x {count} {order}.jpg": turned_jpeg(6, kind=kind, count=count, order=order)
        for kind in (1, 3, 4, 9)
        for count in (1, 2)
        for order in "<>"
    }
    greys = {f"grey {depth}.png": png(steps(depth), 0, depth) for depth in (1, 2, 4, 8)}
    cleared = {
        f"grey {depth}, {value} is clear.png": png(steps(depth), 0, depth, [trns(value)])
        for depth, value in ((1, 0), (1, 1), (2, 1), (2, 3), (4, 5), (4, 15), (8, 120), (8, 256 + 120))
    }
    gammas = {
        f"gamma {gamma}.png": rgb_png(gama(gamma)) for gamma in (0.0, 0.1, 0.42, 0.44, 0.45455, 0.47, 0.48, 1, 20)
    }
    points = {
        f"code points {one}.png": _cicp(*one, 0, 1)
        for one in ((1, 13), (12, 13), (9, 14), (1, 1), (6, 6), (4, 4), (5, 5), (1, 8), (11, 13), (2, 2))
    }
    return {
        **turned,
        **typed,
        "odd unit.jpg": jpeg(segments=[(0xE1, b"Exif\0\0" + exif(6, more=[rational_unit()]))]),
        "two EXIF blocks.jpg": jpeg(segments=[(0xE1, b"Exif\0\0" + exif(one)) for one in (6, 1)]),
        "profile of Lab.jpg": with_icc(jpeg(), odd_space(b"Lab ")),
        "profile of Lab.webp": encoded(scene(), "WEBP", lossless=True, icc_profile=odd_space(b"Lab ")),
        **{f"code points {one}.avif": _avif(*one) for one in ((1, 13), (1, 1), (2, 2))},
        "odd preface.jpg": jpeg(segments=[(0xE1, b"Exif\0\xff" + exif(6))]),
        "odd preface and another.jpg": jpeg(
            segments=[(0xE1, b"Exif\0" + one) for one in (b"x" + exif(3), b"\0" + exif(6))]
        ),
        "preface of small letters.jpg": jpeg(segments=[(0xE1, b"exif\0\0" + exif(6))]),
        "no turn, then another.jpg": jpeg(segments=[(0xE1, b"Exif\0\0" + one) for one in (exif(1, kind=4), exif(6))]),
        "two orientations.jpg": jpeg(segments=[(0xE1, b"Exif\0\0" + exif(1, more=[exif(6)[10:22]]))]),
        "turned by XMP.jpg": jpeg(segments=[(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6)]),
        "turned by XMP.png": rgb_png(itxt(b"XML:com.adobe.xmp", XMP % 6)),
        "turned by XMP.webp": encoded(scene(), "WEBP", xmp=XMP % 6, lossless=True),
        "turned by text.png": rgb_png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))),
        "turned.png": rgb_png(chunk(b"eXIf", exif(6))),
        "turned odd.png": rgb_png(chunk(b"eXIf", exif(5, order=">", more=[rational_unit(">")]))),
        "turned with a preface.png": rgb_png(chunk(b"eXIf", b"Exif\0\0" + exif(6))),
        "turned too late.png": late(chunk(b"eXIf", exif(6))),
        "turned.webp": encoded(scene(), "WEBP", exif=exif(6), lossless=True),
        "grey and alpha.png": png(pair, 4),
        "grey and alpha 16.png": png(deep(2), 4, 16),
        "RGB 16.png": png(deep(3), 2, 16),
        "RGBA 16.png": png(deep(4), 6, 16),
        "grey 16.png": png(deep(1), 0, 16),
        "RGBA.png": encoded(with_alpha(), "PNG"),
        "RGBA.webp": encoded(with_alpha(), "WEBP", lossless=True),
        "RGBA.bmp": encoded(with_alpha(), "BMP"),
        **greys,
        **cleared,
        "grey 16, one is clear.png": png(deep(1), 0, 16, [trns(int(deep(1)[40, 80, 0]))]),
        "RGB 16, one is clear.png": png(_near(0x1234), 2, 16, [trns(0x1234, 0x1234, 0x1234)]),
        "RGB, one is clear.png": rgb_png(trns(*map(int, np.asarray(scene())[60, 5]))),
        "palette with alphas.png": encoded(palette, "PNG", transparency=bytes(range(0, 256, 16))),
        "palette, one is clear.png": encoded(palette, "PNG", transparency=3),
        "palette of 4 bits.png": encoded(palette, "PNG", bits=4, transparency=bytes([0, 90, 200])),
        "palette, one is clear.gif": encoded(palette, "GIF", transparency=2),
        "small first frame.gif": small_frame(),
        "animated.png": animated_png(hidden=False),
        "animated, other picture.png": animated_png(hidden=True),
        "animated.webp": encoded(
            scene(), "WEBP", lossless=True, save_all=True, append_images=[scene().rotate(180)], duration=9000
        ),
        "profile.png": rgb_png(iccp(swapped)),
        "profile, wide.png": rgb_png(iccp(wide)),
        "profile of grey, RGB.png": rgb_png(iccp(light)),
        "profile of grey, RGB, gamma.png": rgb_png(iccp(light), gama(1.0)),
        "profile of print, RGB.png": rgb_png(iccp(cmyk_profile())),
        "profile broken.png": rgb_png(iccp(b"junk" * 100)),
        "profile cut.png": rgb_png(iccp(swapped[:300])),
        "profile broken, gamma.png": rgb_png(iccp(b"junk" * 100), gama(1.0)),
        "profile and gamma.png": rgb_png(iccp(swapped), gama(1.0)),
        "profile and sRGB.png": rgb_png(chunk(b"sRGB", b"\0"), iccp(swapped)),
        "profile damaged.png": rgb_png(iccp(swapped)[:-4] + b"abcd"),
        "two profiles.png": rgb_png(iccp(swapped), iccp(wide)),
        "profile too late.png": late(iccp(swapped)),
        "profile of grey.png": png(grey8, 0, 8, [iccp(light)]),
        "profile of grey, alpha.png": png(pair, 4, 8, [iccp(light)]),
        "profile of grey, alpha 16.png": png(deep(2), 4, 16, [iccp(light)]),
        "profile of grey, 16.png": png(deep(1), 0, 16, [iccp(light)]),
        "profile of RGB, grey.png": png(grey8, 0, 8, [iccp(wide)]),
        "profile, palette.png": encoded(palette, "PNG", icc_profile=swapped, transparency=bytes(range(0, 256, 16))),
        "profile, RGBA 16.png": png(deep(4), 6, 16, [iccp(swapped)]),
        "profile.webp": encoded(scene(), "WEBP", lossless=True, icc_profile=swapped),
        "profile, turned.jpg": with_icc(turned_jpeg(6), swapped),
        "profile of grey.jpg": with_icc(jpeg(scene("L")), light),
        "profile of RGB, grey.jpg": with_icc(jpeg(scene("L")), wide),
        "profile of grey, RGB.jpg": with_icc(jpeg(), light),
        "profile of print, RGB.jpg": with_icc(jpeg(), cmyk_profile()),
        "profile of one byte.jpg": with_icc(jpeg(), b"x"),
        "print.jpg": cmyk_jpeg(),
        "print, YCCK.jpg": cmyk_jpeg(2),
        "print without Adobe.jpg": cmyk_jpeg(adobe=False),
        "print, profile.jpg": with_icc(cmyk_jpeg(), cmyk_profile()),
        "print, YCCK, profile.jpg": with_icc(cmyk_jpeg(2), cmyk_profile()),
        "print, profile of RGB.jpg": with_icc(cmyk_jpeg(), swapped),
        **gammas,
        "gamma of linear grey.png": png(grey8, 0, 8, [gama(1.0)]),
        "gamma and primaries.png": rgb_png(gama(0.45455), chrm(WIDE)),
        "gamma and no primaries.png": rgb_png(gama(0.6), chrm([(0, 0)] * 4)),
        "primaries alone.png": rgb_png(chrm(SWAPPED)),
        "sRGB and gamma.png": rgb_png(chunk(b"sRGB", b"\0"), gama(1.0)),
        **points,
        "code points before a profile.png": rgb_png(chunk(b"cICP", bytes([1, 13, 0, 1])), iccp(swapped)),
        "code points of film range.png": _cicp(12, 13, 0, 0),
        "text of 3 MB.png": rgb_png(itxt(b"note", b"x" * 3_000_000)),
        "packed text of 70 MB.png": rgb_png(itxt(b"note", b"x" * 70_000_000, compressed=True)),
        "profile of 2 MB.png": rgb_png(iccp(swapped + bytes(2_000_000))),
        "text damaged.png": rgb_png(chunk(b"tEXt", b"a\0b")[:-4] + b"abcd"),
        "text packed oddly.png": rgb_png(chunk(b"zTXt", b"a\0\7junk")),
        "chunks too short.png": rgb_png(*(chunk(kind, b"") for kind in (b"gAMA", b"cHRM", b"sRGB", b"pHYs"))),
    }


def odd_space(space: bytes) -> bytes:
    """A whole profile of a space that no file has."""
    return rgb_profile()[:16] + space + rgb_profile()[20:]


def _with_code_points(*points: int) -> bytes:
    """A profile of sRGB's primaries that also has code points, as of ICC version 4.4."""
    profile = rgb_profile(BT709)
    count = struct.unpack_from(">I", profile, 128)[0]
    places = [struct.unpack_from(">4sII", profile, 132 + 12 * place) for place in range(count)]
    tags = {name: profile[start : start + length] for name, start, length in places}
    return _profile(b"RGB ", tags | {b"cicp": b"cicp\0\0\0\0" + bytes(points)})


def _avif(primaries: int, transfer: int) -> bytes:
    """An AVIF with code points and no profile."""
    content = encoded(scene(), "AVIF", quality=100, subsampling="4:4:4")
    at = content.index(b"colrnclx") + 8
    return content[:at] + struct.pack(">HH", primaries, transfer) + content[at + 4 :]


def _bmp(profile: bytes) -> bytes:
    """A BMP of version 5 with a profile in it."""
    content = encoded(scene(), "BMP")
    pixels = content[54:]
    head = struct.pack("<I", 124) + content[18:54] + bytes(16) + b"DEBM" + bytes(48)
    head += struct.pack("<4I", 4, 124 + len(pixels), len(profile), 0)
    start = struct.pack("<IHHI", 14 + len(head) + len(pixels) + len(profile), 0, 0, 14 + len(head))
    return b"BM" + start + head + pixels + profile


@cache
def shown_otherwise() -> dict[str, bytes]:
    """Pictures of which a browser makes other colours than this reading, by name."""
    pq, wide = _with_code_points(9, 16, 0, 1), _with_code_points(9, 13, 0, 1)
    return {
        "PQ.png": _cicp(9, 16, 0, 1),
        "HLG.png": _cicp(9, 18, 0, 1),
        "PQ before a profile.png": rgb_png(chunk(b"cICP", bytes([9, 16, 0, 1])), iccp(rgb_profile())),
        "profile of Lab.png": rgb_png(iccp(odd_space(b"Lab "))),
        "profile of XYZ.png": rgb_png(iccp(odd_space(b"XYZ "))),
        "code points in a profile.png": rgb_png(iccp(wide)),
        "PQ in a profile.png": rgb_png(iccp(pq)),
        "PQ in a profile.jpg": with_icc(jpeg(), pq),
        "PQ in a profile.webp": encoded(scene(), "WEBP", lossless=True, icc_profile=pq),
        **{f"code points {one}.avif": _avif(*one) for one in ((9, 16), (1, 18), (9, 13), (12, 13), (1, 8))},
        "profile.bmp": _bmp(rgb_profile()),
    }


# -- TIFF --------------------------------------------------------------------------------------------------------------
_TIFF_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 7: "s", 11: "f", 12: "d"}


def tiff(
    values: npt.NDArray[Any],
    photometric: int = 1,
    order: str = "<",
    tags: dict[int, tuple[int, Any]] | None = None,
    deflated: bool = False,
) -> bytes:
    """A TIFF of one strip: ``values`` (height, width[, channels]) as they are, or packed (Deflate).

    ``tags`` are number: (type, value).
    """
    height, width = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if deflated else data
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[values.dtype.kind]
    bits = values.dtype.itemsize * 8
    said: dict[int, tuple[int, Any]] = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * channels),
        259: (3, [8 if deflated else 1]), 262: (3, [photometric]),
        273: (4, [0]), 277: (3, [channels]), 278: (4, [height]), 279: (4, [len(data)]), 339: (3, [kind] * channels),
    } | (tags or {})  # fmt: skip
    body_at = 8 + 2 + 12 * len(said) + 4
    entries, body = b"", b""

    def packed(type_: int, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        return b"".join(struct.pack(order + _TIFF_TYPES[type_], part) for part in value)

    for number, (type_, value) in sorted(said.items()):
        content = packed(type_, value)
        if number == 273:
            content = packed(4, [body_at + sum(len(packed(*one)) for one in said.values() if len(packed(*one)) > 4)])
        count = len(value)
        if len(content) > 4:
            entries += struct.pack(f"{order}HHII", number, type_, count, body_at + len(body))
            body += content
        else:
            entries += struct.pack(f"{order}HHI", number, type_, count) + content.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(said))
    return head + entries + struct.pack(f"{order}I", 0) + body + data
