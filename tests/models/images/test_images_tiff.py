"""TIFF, which no browser shows: each picture must look like an equal PNG, whatever way it was written."""

from __future__ import annotations

import struct
from io import BytesIO
from time import perf_counter

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from attune.models.errors import UnreadableItem
from attune.models.images.decode import decode, inspect
from tests.support.odd_images import (
    SIZE,
    XMP,
    chunk,
    cmyk_profile,
    deep,
    encoded,
    exif,
    grey,
    grey_profile,
    iccp,
    png,
    rgb_png,
    rgb_profile,
    scene,
    steps,
    tiff,
    with_alpha,
)

LIGHT = grey()
WANTED = np.round(LIGHT * 255)
BAD = (slice(30, 40), slice(20, 30))  # where values are put that are none


def values_of(content: bytes) -> np.ndarray:
    """The brightness as read, (height, width), whose three channels agree."""
    values = np.asarray(decode(content, "odd.tif"), dtype=np.float64)
    assert np.ptp(values, axis=-1).max() == 0
    return values[..., 0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_white_is_zero_where_the_file_says_so(order: str, kind: str, photometric: int) -> None:
    top = {"u1": 255, "u2": 65535, "f4": 1.0}[kind]
    stored = (LIGHT if photometric else 1 - LIGHT) * top
    content = tiff((stored.round() if kind != "f4" else stored).astype(kind), photometric, order)
    assert np.abs(values_of(content) - WANTED).max() <= 1


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["L", "I;16", "F", "1", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_compression_changes_nothing(mode: str, compression: str) -> None:
    image = {
        "I;16": Image.fromarray(deep(1)[..., 0]),
        "F": Image.fromarray(LIGHT.astype(np.float32)),
        "RGBA": with_alpha(),
        "LA": with_alpha().convert("LA"),
        "P": scene().quantize(16),
    }.get(mode) or scene(mode)
    like = decode(encoded(image if mode not in {"F", "CMYK"} else _as_png(image), "PNG"), "like.png")
    got = decode(encoded(image, "TIFF", compression=compression), "odd.tif")
    assert np.abs(np.asarray(got, dtype=int) - np.asarray(like, dtype=int)).mean() < 1


def _as_png(image: Image.Image) -> Image.Image:
    return image.convert("RGB") if image.mode == "CMYK" else Image.fromarray(WANTED.astype(np.uint8))


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_with_alpha_of_16_bits(order: str) -> None:
    like = decode(png(deep(2), 4, 16), "like.png")
    got = decode(tiff(deep(2), 1, order, {338: (3, [2])}), "odd.tif")
    assert np.abs(np.asarray(got, dtype=int) - np.asarray(like, dtype=int)).max() <= 1


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("more", [{}, {700: (1, XMP % 6)}, {700: (7, XMP % 3)}])
def test_a_tiff_is_turned_once(number: int, more: dict[int, tuple[int, bytes]]) -> None:
    colours = np.asarray(scene())
    content = tiff(colours, 2, "<", {274: (3, [number])} | more)
    like = decode(png(colours, 2, 8, [chunk(b"eXIf", exif(number))]), "like.png")
    info, got = inspect(content, "odd.tif"), decode(content, "odd.tif")
    assert got.size == like.size == (info.width, info.height)
    assert np.array_equal(np.asarray(got), np.asarray(like))


def test_xmp_turns_no_tiff() -> None:
    content = tiff(np.asarray(scene()), 2, "<", {700: (1, XMP % 6)})
    assert decode(content, "odd.tif").size == SIZE == (inspect(content, "odd.tif").width, SIZE[1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3.4e38, -3.4028235e38, -9999.0, 1e20])
@pytest.mark.parametrize("pixels", ["one", "many"])
def test_values_that_are_none_leave_the_rest(bad: float, pixels: str) -> None:
    stored = LIGHT.astype(np.float32)
    hurt = (slice(30, 31), slice(20, 21)) if pixels == "one" or bad == 1e20 else BAD
    stored[hurt] = bad
    got = values_of(tiff(stored))
    sound = np.ones_like(stored, dtype=bool)
    sound[hurt] = False
    assert np.abs(got - WANTED)[sound].max() <= 4
    assert got[hurt].min() == got[hurt].max() == (0 if bad == -np.inf else 255)


@pytest.mark.parametrize("text", [b"-5\0", b"-5.0 \0", b" -5e0\0"])
@pytest.mark.parametrize("kind", ["f4", "i4", "i2"])
def test_the_no_data_tag_of_gdal_counts(text: bytes, kind: str) -> None:
    stored = (LIGHT * 1000 - 2).round().astype(kind)
    stored[0, 0] = -2  # signed values are stretched over what they span
    stored[BAD] = -5
    got = values_of(tiff(stored, tags={42113: (2, text)}))
    sound = np.ones(stored.shape, dtype=bool)
    sound[BAD] = False
    sound[0, 0] = False
    assert np.abs(got - WANTED)[sound].max() <= 1
    assert got[BAD].min() == 255


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize(("kind", "absent"), [("u1", 0), ("u1", 77), ("u2", 0), ("u2", 65535), ("u2", 770)])
def test_no_data_of_a_fixed_range_is_clear(kind: str, absent: int, photometric: int, order: str) -> None:
    top = {"u1": 255, "u2": 65535}[kind]
    stored = (LIGHT * (top - 4) + 2).round().astype(kind)
    stored[stored == absent] += 1
    stored[BAD] = absent
    got = values_of(tiff(stored, photometric, order, {42113: (2, b"%d\0" % absent)}))
    sound = np.ones(stored.shape, dtype=bool)
    sound[BAD] = False
    assert np.abs(got - (WANTED if photometric else 255 - WANTED))[sound].max() <= 3
    assert got[BAD].min() == 255


@pytest.mark.parametrize("text", [b"-9999\0", b"256\0", b"0.5\0", b"nan\0", b"inf\0"])
def test_no_data_that_cannot_occur_clears_nothing(text: bytes) -> None:
    stored = WANTED.astype("u1")
    assert np.array_equal(values_of(tiff(stored, tags={42113: (2, text)})), stored)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_no_data_of_few_bits_is_clear(bits: int, photometric: int) -> None:
    levels = steps(bits)
    rows = np.unpackbits(levels.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :].reshape(SIZE[1], -1)
    said = {256: (4, [SIZE[0]]), 258: (3, [bits]), 42113: (2, b"1\0")}
    got = values_of(tiff(np.packbits(rows, axis=-1), photometric, tags=said))
    shown = levels if photometric else 2**bits - 1 - levels
    assert np.array_equal(got, np.where(levels == 1, 255, shown * (255 // (2**bits - 1))))


def test_no_data_in_colours_is_clear_in_all_channels() -> None:
    colours = np.maximum(np.asarray(scene()), 1)
    colours[BAD] = 0
    colours[0, 0] = (0, 9, 9)
    got = np.asarray(decode(tiff(colours, 2, tags={42113: (2, b"0\0")}), "odd.tif"))
    assert (got[BAD] == 255).all()
    assert got[0, 0].tolist() == [0, 9, 9]
    palette = encoded(scene().quantize(16), "TIFF", tiffinfo={42113: "3"})
    like = np.asarray(scene().quantize(16).convert("RGB")).copy()
    like[np.asarray(scene().quantize(16)) == 3] = 255
    assert np.array_equal(np.asarray(decode(palette, "odd.tif")), like)


@pytest.mark.parametrize("tags", [{42113: (2, b"-9999\0")}, {}])
@pytest.mark.parametrize("kind", ["i2", "i4"])
def test_terrain_is_shown_over_its_own_range(kind: str, tags: dict[int, tuple[int, bytes]]) -> None:
    heights = (LIGHT * 3000).round().astype(kind)
    heights[BAD] = -9999
    got = values_of(tiff(heights, tags=tags))
    sound = heights >= 0
    assert np.abs(got - WANTED)[sound].max() <= 1
    assert got[BAD].min() == 255


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "f2", "f4", "f8"])
def test_signed_numbers_and_floats_have_no_edge(kind: str, order: str, deflated: bool, photometric: int) -> None:
    low, span = {"i1": (-128, 255), "i2": (-30000, 60000)}.get(kind, (-1000, 2000))
    stored = LIGHT * span + low
    content = tiff((stored.round() if kind[0] == "i" else stored).astype(kind), photometric, order, deflated=deflated)
    assert np.abs(values_of(content) - (WANTED if photometric else 255 - WANTED)).max() <= 1
    assert not inspect(content, "odd.tif").flat


def test_no_data_beyond_32_bits_is_absent() -> None:
    stored = LIGHT.copy()
    stored[BAD] = -1.7976931348623157e308
    got = values_of(tiff(stored, tags={42113: (2, b"-1.7976931348623157e+308\0")}))
    assert got[BAD].min() == 255
    got[BAD] = WANTED[BAD]
    assert np.abs(got - WANTED).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("values", "photometric", "words"),
    [
        (np.zeros((64, 96, 3), "f4"), 2, "3 channels of 32-bit floats"),
        (np.zeros((64, 96, 7), "u2"), 1, "7 channels of 16-bit whole numbers"),
        (np.zeros((64, 96), "u8"), 1, "64-bit whole numbers"),
        (np.zeros((64, 96), "c8"), 1, "64-bit complex numbers"),
    ],
)
def test_an_unread_kind_is_named(values: np.ndarray, photometric: int, words: str, order: str) -> None:
    with pytest.raises(UnreadableItem, match=words) as caught:
        decode(tiff(values, photometric, order), "odd.tif")
    assert caught.value.reason == "a kind of TIFF"
    with pytest.raises(UnreadableItem) as caught:
        decode(tiff(values, photometric, order)[:60], "odd.tif")
    assert caught.value.reason != "a kind of TIFF", "a cut head says nothing sure"


def test_a_no_data_tag_of_an_odd_type_is_passed_over() -> None:
    for value in ((3, [7]), (7, b"\xff\xfe"), (12, [np.nan]), (2, b"none\0")):
        assert np.abs(values_of(tiff(LIGHT.astype(np.float32), tags={42113: value})) - WANTED).max() <= 1


def test_nothing_but_absent_values_is_the_background() -> None:
    content = tiff(np.full((64, 96), np.nan, dtype=np.float32))
    assert values_of(content).min() == 255
    assert inspect(content, "odd.tif").flat


def test_numbers_of_32_bits_keep_their_range() -> None:
    assert np.abs(values_of(tiff((LIGHT * (2**32 - 1)).astype("u4"))) - WANTED).max() <= 1
    assert np.abs(values_of(tiff((LIGHT * 2e6 - 1e6).astype("i4"))) - WANTED).max() <= 1
    assert np.abs(values_of(tiff((LIGHT * 65535 - 32768).round().astype("i2"))) - WANTED).max() <= 1


def test_profiles_count_as_in_a_png() -> None:
    for values, photometric, colour, profile in (
        (np.asarray(scene()), 2, 2, rgb_profile()),
        (steps(8).astype(np.uint8), 1, 0, grey_profile()),
    ):
        got = decode(tiff(values, photometric, tags={34675: (7, profile)}), "odd.tif")
        like = decode(png(values, colour, 8, [iccp(profile)]), "like.png")
        assert np.array_equal(np.asarray(got), np.asarray(like))
        assert np.abs(np.asarray(got, dtype=int) - values.reshape(64, 96, -1)).mean() > 10
    for odd in ((3, [1, 2, 3]), (4, [5]), (7, b"junk")):
        got = decode(tiff(np.asarray(scene()), 2, tags={34675: odd}), "odd.tif")
        assert np.array_equal(np.asarray(got), np.asarray(scene()))


def test_inks_with_a_profile_are_those_of_a_jpeg() -> None:
    inks = encoded(scene("CMYK"), "TIFF", icc_profile=cmyk_profile())
    plain = encoded(scene("CMYK"), "TIFF")
    shift = np.asarray(decode(inks, "a.tif"), dtype=int) - np.asarray(decode(plain, "b.tif"), dtype=int)
    assert np.abs(shift).mean() > 10


def test_lab_has_colours() -> None:
    lab = ImageCms.createProfile("LAB")
    made = ImageCms.profileToProfile(scene(), ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert made is not None
    got = decode(encoded(made, "TIFF"), "odd.tif")
    assert np.abs(np.asarray(got, dtype=int) - np.asarray(scene(), dtype=int)).mean() < 3


@pytest.mark.parametrize("number", [282, 296, 305, 306, 34665, 34853, 40965, 33723])
@pytest.mark.parametrize("value", [(12, [1.5]), (2, b"x\0"), (3, [1, 2, 3]), (7, b"")])
def test_tags_of_odd_types_cost_no_image(number: int, value: tuple[int, object]) -> None:
    content = tiff(np.asarray(scene()), 2, tags={274: (3, [6]), number: value})
    assert decode(content, "odd.tif").size == SIZE[::-1]


def test_pages_are_not_counted() -> None:
    """A thousand directories in a row, and one that leads back to itself."""
    content = tiff(np.asarray(scene()), 2)
    first = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, first)[0]
    link = first + 2 + 12 * entries
    directory = content[first:link]
    at, tail = len(content), b""
    for _ in range(20_000):
        tail += directory + struct.pack("<I", at + len(tail) + len(directory) + 4)
    long = content[:link] + struct.pack("<I", at) + content[link + 4 :] + tail[:-4] + bytes(4)
    began = perf_counter()
    info = inspect(long, "long.tif")
    assert perf_counter() - began < 2, "two directories are looked at, not twenty thousand"
    assert (info.width, info.height, info.animated) == (*SIZE, False)
    assert decode(content[:link] + struct.pack("<I", first) + content[link + 4 :], "loop.tif").size == SIZE


def test_pillow_keeps_its_own_kinds_of_tiff() -> None:
    """Where Pillow learns to open what is added to its table, ours must go."""
    for key in ((b"II", 1, (1,), 1, (16, 16), (2,)), (b"MM", 1, (1,), 1, (16, 16), (1,))):
        assert TiffImagePlugin.OPEN_INFO[key] == ("RGBA", "RGBA")
    assert Image.open(BytesIO(rgb_png())).mode == "RGB"
