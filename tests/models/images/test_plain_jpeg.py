"""Which files a card may decode: only those of which every decoder makes the picture that Pillow's way makes."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from attune.models.encoders.staged_images import decode_on
from attune.models.errors import UnreadableItem
from attune.models.images.decode import decode
from attune.models.images.opening import MAX_SCANS, SCAN
from attune.models.images.plain_jpeg import plain_jpeg
from tests.support import images, odd_images
from tests.support.odd_images import encoded, scene

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PLAIN = {
    "as Pillow writes it": encoded(scene(), "JPEG"),
    "every chroma value": encoded(scene(), "JPEG", subsampling="4:4:4"),
    "half the chroma values": encoded(scene(), "JPEG", subsampling="4:2:2"),
    "restart markers": encoded(scene(), "JPEG", restart_marker_rows=1),
    "upright by EXIF": odd_images.jpeg(segments=[(0xE1, b"Exif\0\0" + odd_images.exif(1))]),
    "a profile that changes nothing": encoded(scene(), "JPEG", icc_profile=SRGB),
    "a comment": encoded(scene(), "JPEG", comment=b"by hand"),
}


def with_adobe(transform: int) -> bytes:
    """A JPEG whose Adobe segment says that its values are RGB (0) or Y, Cb, Cr (1)."""
    body = b"Adobe\0\x64\0\0\0\0" + bytes([transform])
    return odd_images.jpeg(segments=[(0xEE, body)])


NOT_PLAIN = {
    "progressive": encoded(scene(), "JPEG", progressive=True),
    "grey": encoded(scene("L"), "JPEG"),
    "print": encoded(scene("CMYK"), "JPEG"),
    "turned": images.turned(),
    "another profile": odd_images.with_icc(odd_images.jpeg(), odd_images.rgb_profile(odd_images.SWAPPED)),
    "values are RGB": with_adobe(0),
    "cut": PLAIN["as Pillow writes it"][:-40],
    "its end is missing": PLAIN["as Pillow writes it"][:-2],
    "many scans": PLAIN["as Pillow writes it"][:-2] + (SCAN + bytes(8)) * (MAX_SCANS + 1) + b"\xff\xd9",
    "a sliver": encoded(Image.new("RGB", (820, 20)), "JPEG"),
    "a PNG of 16 bits": images.deep_grey(),
    "nothing": b"",
    "two letters": b"\xff\xd8",
}


@cache
def every_picture() -> dict[str, bytes]:
    """Every odd picture of the tests, with the plain ones."""
    bad = {name: content for name, (content, _) in images.BAD.items()}
    return odd_images.shown() | odd_images.shown_otherwise() | images.GOOD | bad | PLAIN


@pytest.mark.parametrize("name", PLAIN)
def test_an_ordinary_file_may_go_to_the_card(name: str) -> None:
    found = plain_jpeg(PLAIN[name])
    assert found is not None
    assert (found.width, found.height) == scene().size


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_an_unusual_file_goes_the_slow_way(name: str) -> None:
    assert plain_jpeg(NOT_PLAIN[name]) is None


def test_a_file_of_too_many_pixels_is_left_to_the_way_that_refuses_it() -> None:
    width, height = scene().size
    assert plain_jpeg(PLAIN["a comment"], width * height) is not None
    assert plain_jpeg(PLAIN["a comment"], width * height - 1) is None


def test_what_may_go_to_the_card_is_the_same_picture_either_way() -> None:
    import torch  # here, as all processes collect this test and one runs it

    plain = {name: found for name, content in every_picture().items() if (found := plain_jpeg(content))}
    assert set(PLAIN) <= set(plain)
    for name, found in plain.items():
        [picture] = decode_on(torch.device("cpu"), [found])
        np.testing.assert_array_equal(picture.permute(1, 2, 0).numpy(), np.asarray(decode(found.content, name)), name)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PLAIN)), st.data())
def test_a_byte_changed_in_the_header_never_shows_another_picture(name: str, data: st.DataObject) -> None:
    import torch

    content = bytearray(PLAIN[name])
    head = content.index(SCAN) + 12
    for place in data.draw(st.lists(st.integers(0, head - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    found = plain_jpeg(bytes(content))
    if found is None:
        return
    try:
        expected = np.asarray(decode(bytes(content), "x"))
    except UnreadableItem:
        expected = None
    try:
        [picture] = decode_on(torch.device("cpu"), [found])
    except RuntimeError:
        return  # the batch is read by Pillow then
    assert expected is not None
    np.testing.assert_array_equal(picture.permute(1, 2, 0).numpy(), expected)


def test_pillow_decodes_what_is_here_as_plain() -> None:
    for content in PLAIN.values():
        with Image.open(BytesIO(content)) as opened:
            assert (opened.format, opened.mode) == ("JPEG", "RGB")
