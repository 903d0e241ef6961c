"""A real Chromium says what a picture looks like; our reading must agree: the same size, and nearly the same pixels."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser

from attune.models.images.decode import decode, inspect
from tests.support import odd_images

pytestmark = pytest.mark.browser
PICTURES = odd_images.shown()
ALIKE = 2.0  # of 255 on average: two libraries round otherwise, and cut a table of four inks otherwise
LAID_ON_WHITE = """async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext('2d');
    pen.fillStyle = 'white';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0);
    const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = '';
    for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
    return [canvas.width, canvas.height, btoa(text)];
}"""
Shown = Callable[[bytes, str], npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[Shown]:
    """What Chromium makes of bytes of a media type, as (height, width, 3) on a white page."""
    page = browser.new_page()

    def ask(content: bytes, mimetype: str) -> npt.NDArray[np.float64]:
        address = f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
        width, height, pixels = page.evaluate(LAID_ON_WHITE, address)
        values = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)
        return values[..., :3].astype(np.float64)

    yield ask
    page.close()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_chromium_shows(shown: Shown, name: str) -> None:
    content = PICTURES[name]
    info, picture = inspect(content, name), decode(content, name)
    expected = shown(content, info.mimetype)
    assert picture.size == (info.width, info.height) == expected.shape[1::-1]
    assert np.abs(np.asarray(picture, dtype=np.float64) - expected).mean() < ALIKE


@pytest.mark.parametrize("name", odd_images.shown_otherwise())
def test_what_chromium_shows_otherwise_is_marked(shown: Shown, name: str) -> None:
    content = odd_images.shown_otherwise()[name]
    info, picture = inspect(content, name), decode(content, name)
    assert not info.browsers_show, "it must be served as it is read here"
    difference = np.abs(np.asarray(picture, dtype=np.float64) - shown(content, info.mimetype)).mean()
    assert difference > ALIKE


@pytest.mark.parametrize(
    "name", ["sRGB and gamma.png", "profile.png", "turned 6.jpg", "junk profile.jpg", "plain.avif", "plain.bmp"]
)
def test_what_chromium_shows_alike_is_served_as_it_is(name: str) -> None:
    more = {
        "junk profile.jpg": odd_images.with_icc(odd_images.jpeg(), b"junk" * 100),
        "plain.avif": odd_images.encoded(odd_images.scene(), "AVIF"),
        "plain.bmp": odd_images.encoded(odd_images.scene(), "BMP"),
    }
    assert inspect((PICTURES | more)[name], name).browsers_show


def test_the_oracle_sees_each_kind_of_change(shown: Shown) -> None:
    """The test above would pass on anything if Chromium converted, turned or laid on white nothing."""
    plain = shown(PICTURES["sRGB and gamma.png"], "image/png")
    for name in ("profile.png", "gamma 1.png", "code points (12, 13).png", "RGBA.png"):
        assert np.abs(shown(PICTURES[name], "image/png") - plain).mean() > 5 * ALIKE, name
    assert shown(PICTURES["turned 6.jpg"], "image/jpeg").shape == (*odd_images.SIZE, 3)
