"""Only what a newer reading shows otherwise counts as different; what is plain is not even decoded."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from attune.models.images import reading_changes
from attune.models.images.decode import READING
from attune.models.images.reading_changes import looks_different
from tests.support import images
from tests.support.odd_images import (
    deep,
    encoded,
    exif,
    grey,
    iccp,
    itxt,
    jpeg,
    png,
    rational_unit,
    rgb_png,
    rgb_profile,
    scene,
    tiff,
    trns,
    turned_jpeg,
    with_alpha,
    with_icc,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HURT = grey().astype(np.float32)
HURT[3, 3] = np.nan
SAME = {
    **images.GOOD,
    "sRGB.jpg": with_icc(jpeg(), SRGB),
    "sRGB.png": rgb_png(iccp(SRGB)),
    "with text.png": rgb_png(itxt(b"note", b"hello")),
    "turned.jpg": turned_jpeg(6),
    "16 bits.png": png(deep(4), 6, 16),
    "turned.tif": tiff(np.asarray(scene()), 2, tags={274: (3, [6])}),
    "RGBA.png": encoded(with_alpha(), "PNG"),
}
OTHER = {
    "profile.jpg": with_icc(jpeg(), rgb_profile()),
    "profile.png": rgb_png(iccp(rgb_profile())),
    "odd EXIF.jpg": jpeg(segments=[(0xE1, b"Exif\0\0" + exif(6, more=[rational_unit()]))]),
    "turned.webp": encoded(scene(), "WEBP", exif=exif(6)),
    "white is zero.tif": tiff(deep(1)[..., 0], 0),
    "no number.tif": tiff(HURT),
    "no data.tif": tiff(np.asarray(scene("L")), tags={42113: (2, b"%d\0" % scene("L").getpixel((3, 3)))}),
    "terrain.tif": tiff((grey() * 3000).astype("i2")),
    "signed.tif": tiff((grey() * 255 - 128).astype("i1")),
    "64 bits, big end.tif": tiff(grey() * 7 + 5, order=">", deflated=True),
    "odd preface.jpg": jpeg(segments=[(0xE1, b"Exif\0\xff" + exif(6))]),
    "16 bits, one clear.png": png(deep(1), 0, 16, [trns(int(deep(1)[40, 80, 0]))]),
    "long text.png": rgb_png(itxt(b"note", b"x" * 2_000_000, compressed=True)),
}
PLAIN = ("plain.jpg", "grey.png", "print (CMYK).jpg", "old.bmp", "sRGB.jpg", "RGBA.png")


@pytest.mark.parametrize("name", SAME)
def test_what_looks_as_before_is_not_different(name: str) -> None:
    assert not looks_different(SAME[name], name, since=1)


@pytest.mark.parametrize("name", OTHER)
def test_what_looks_otherwise_is_different_once(name: str) -> None:
    assert looks_different(OTHER[name], name, since=1)
    assert not looks_different(OTHER[name], name, since=READING)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_known_by_their_head(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_content: bytes) -> Image.Image:
        raise AssertionError("decoded twice")

    monkeypatch.setattr(reading_changes, "_reading_1", decoded)
    assert not looks_different(SAME[name], name, since=1)
