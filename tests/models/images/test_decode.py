"""Whatever the bytes are: an RGB picture, or an UnreadableItem that says why. Nothing else, and no warning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import UnreadableItem
from attune.models.files.atomic import digest_bytes
from attune.models.images.decode import decode, inspect, looks_like_image
from attune.models.images.exif_orientation import orientation
from tests.support import images, odd_images


@pytest.mark.parametrize("name", images.GOOD)
def test_odd_images_become_rgb_pictures(name: str) -> None:
    content = images.GOOD[name]
    info, picture = inspect(content, name), decode(content, name)
    assert picture.mode == "RGB"
    assert picture.size == (info.width, info.height)
    assert info.digest == digest_bytes(content)
    assert np.asarray(picture).std() > 5, "a picture that came out flat lost what it showed"


@pytest.mark.parametrize("name", images.BAD)
def test_bad_images_are_refused_with_their_name_and_reason(name: str) -> None:
    content, reason = images.BAD[name]
    for read in (inspect, decode):
        with pytest.raises(UnreadableItem) as refusal:
            read(content, name)
        assert refusal.value.reason == reason
        assert name in str(refusal.value)


def test_a_bomb_is_refused_by_its_header_before_anything_is_decoded() -> None:
    with pytest.raises(
        UnreadableItem,
        match=r"bomb.png has 900,000,000 pixels, but Attune decodes at most 100,000,000.*ATTUNE_MAX_PIXELS",
    ):
        inspect(images.bomb(), "bomb.png")
    with pytest.raises(UnreadableItem, match=r"240 x 320 = 76,800 pixels, but Attune decodes at most 50,000"):
        inspect(images.GOOD["plain.jpg"], "plain.jpg", max_pixels=50_000)


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again until it has so many."""
    content = images.encoded(images.scene(), "JPEG", progressive=True)
    last, own = content.rindex(b"\xff\xda"), content.count(b"\xff\xda")
    return content[:-2] + content[last:-2] * (scans - own) + content[-2:]


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded() -> None:
    assert inspect(jpeg_of_scans(99), "slow.jpg").width
    with pytest.raises(UnreadableItem, match=r"slow.jpg has 100 scans; expected at most 99") as refusal:
        inspect(jpeg_of_scans(100), "slow.jpg")
    assert refusal.value.reason == "too many scans"


def test_what_stands_beside_the_pixels_of_a_jpeg_is_no_scan() -> None:
    plain = images.GOOD["plain.jpg"]
    comment = b"\xff\xfe" + (2 + 60_000).to_bytes(2, "big") + b"\xff\xda" * 30_000
    for content in (plain + b"\xff\xda" * 200, plain[:2] + comment + plain[2:]):
        assert decode(content, "photo.jpg").size == decode(plain, "plain.jpg").size


def test_a_picture_of_16_bits_with_a_clear_colour_is_decoded_twice_and_counts_as_deep() -> None:
    values = odd_images.deep(3)
    pixels = values.shape[0] * values.shape[1]
    plain, clear = (odd_images.png(values, 2, 16, chunks) for chunks in ([], [odd_images.trns(1, 2, 3)]))
    assert decode(plain, "plain.png", pixels).size == decode(clear, "clear.png", 4 * pixels).size
    with pytest.raises(UnreadableItem, match="deep pixels") as refusal:
        inspect(clear, "clear.png", 4 * pixels - 1)
    assert refusal.value.reason == "too many pixels"


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint16])
def test_a_deep_pixel_counts_as_the_memory_that_it_takes(kind: type) -> None:
    content = odd_images.tiff(odd_images.grey().astype(kind))
    width, height = inspect(content, "deep.tif").width, inspect(content, "deep.tif").height
    assert decode(content, "deep.tif", 4 * width * height).size == (width, height)
    with pytest.raises(
        UnreadableItem, match=rf"{width * height:,} deep pixels, but Attune decodes at most {width * height - 1:,}"
    ):
        inspect(content, "deep.tif", 4 * width * height - 1)


def test_an_animation_counts_by_its_first_frame_and_says_so() -> None:
    info = inspect(images.animation(), "film.gif")
    assert info.animated
    assert info.notes == ("animated: its first frame counts",)
    red, green, blue = np.asarray(decode(images.animation(), "film.gif")).reshape(-1, 3).mean(axis=0)
    assert red > 250
    assert max(green, blue) < 5


def test_the_content_decides_what_a_file_is_and_a_wrong_name_is_noted() -> None:
    info = inspect(images.GOOD["really a png.jpg"], "really a png.jpg")
    assert info.mimetype == "image/png"
    assert info.notes == ("PNG content under the name .jpg",)
    assert inspect(images.GOOD["plain.jpg"], "no suffix").notes == ()


def test_a_photograph_is_turned_as_its_camera_says() -> None:
    info = inspect(images.turned(), "sideways.jpg")
    assert (info.width, info.height) == (320, 240)


def test_sixteen_bit_grey_keeps_its_whole_range() -> None:
    values = np.asarray(decode(images.deep_grey(), "deep.png"))[..., 0]
    assert values.min() == 0
    assert values.max() == 255
    assert 120 < np.median(values) < 135


def test_transparency_is_laid_on_white() -> None:
    values = np.asarray(decode(images.clear(), "clear.png"))
    assert tuple(values[0, 0]) == (255, 255, 255)
    assert tuple(values[32, 32]) == (255, 0, 0)


def test_threads_read_side_by_side_without_a_warning() -> None:
    contents = [(name, content) for name, content in images.GOOD.items()] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda item: decode(item[1], item[0]).size, contents))
    assert len(found) == len(contents)


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"RIFF____WEBP"])
)
def test_no_bytes_whatever_get_more_out_of_the_reader_than_a_refusal(tail: bytes, head: bytes) -> None:
    with suppress(UnreadableItem):
        inspect(head + tail, "any")


@given(st.data())
def test_damage_anywhere_in_a_real_image_is_survived(data: st.DataObject) -> None:
    content = bytearray(images.GOOD[data.draw(st.sampled_from(sorted(images.GOOD)))])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    with suppress(UnreadableItem):
        assert decode(bytes(content), "hurt").mode == "RGB"


def test_first_bytes_tell_images_from_the_rest() -> None:
    assert all(looks_like_image(content[:16]) for name, content in images.GOOD.items())
    assert not looks_like_image(b"asset_id,uri,title")


ODD = odd_images.shown() | {
    "float.tif": odd_images.tiff(odd_images.grey().astype(np.float32), tags={42113: (2, b"-9999\0")}),
    "grey and alpha 16.tif": odd_images.tiff(odd_images.deep(2), tags={338: (3, [2])}),
    "profile.tif": odd_images.tiff(
        np.asarray(odd_images.scene()), 2, ">", {274: (3, [6]), 34675: (7, odd_images.rgb_profile())}
    ),
}
SMALL = sorted(name for name, content in ODD.items() if len(content) < 100_000)


@given(st.data())
def test_damage_in_what_is_odd_is_survived_too(data: st.DataObject) -> None:
    content = bytearray(ODD[data.draw(st.sampled_from(SMALL))])
    first = data.draw(st.sampled_from([100, 1000, len(content)]))  # heads and tags stand in front
    for place in data.draw(st.lists(st.integers(0, min(first, len(content)) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    with suppress(UnreadableItem):
        made = decode(bytes(content), "hurt")
        assert (made.mode, made.info) == ("RGB", {})


@given(st.data())
def test_no_tag_of_a_tiff_costs_more_than_a_refusal(data: st.DataObject) -> None:
    numbers = st.sampled_from([258, 262, 274, 277, 282, 296, 320, 338, 339, 700, 34665, 34675, 42113])
    values = st.one_of(
        st.tuples(st.sampled_from([3, 4]), st.lists(st.integers(0, 65535), max_size=5)),
        st.tuples(st.just(7), st.binary(max_size=40)),
        st.tuples(st.just(12), st.lists(st.floats(), max_size=3)),
    )
    with suppress(UnreadableItem):
        decode(
            odd_images.tiff(np.asarray(odd_images.scene()), 2, tags=data.draw(st.dictionaries(numbers, values))), "x"
        )


@given(
    st.binary(max_size=80), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0\x08\0\0\0"])
)
def test_any_exif_block_turns_by_one_to_eight(tail: bytes, head: bytes) -> None:
    assert 1 <= orientation(head + tail) <= 8


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=60)), max_size=6))
def test_spare_chunks_of_a_png_change_no_size(chunks: list[tuple[bytes, bytes]]) -> None:
    spare = [odd_images.chunk(bytes([kind[0] | 0x20]) + kind[1:], data) for kind, data in chunks]
    assert decode(odd_images.rgb_png(*spare), "x.png").size == odd_images.SIZE
