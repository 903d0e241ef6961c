"""A page of the console with somebody logged in, and its picture as a file: for every module that makes pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support import factories


def entered(browser: Browser, address: str, email: str, width: int, height: int, dark: bool = False) -> Page:
    """A window of its own in which ``email`` is logged in."""
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    page = browser.new_page(base_url=address, viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(120_000)  # no test: a busy machine may take its time
    page.goto("/login")
    page.fill("#email", email)
    page.fill("#password", factories.PASSWORD)
    page.click("#submit")
    page.wait_for_selector(".whoami")
    return page


def keep(page: Page, path: Path, width: int = 0) -> None:
    """The window's picture in ``path``, with a palette: a third of the bytes, and flat pages lose nothing by it.

    ``width``: make it so many pixels wide, for a page of large images.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    image = Image.open(path).convert("RGB")
    if width:
        image = image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS)
    image.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(path)


def cut_below(page: Page, selector: str, least: int = 16) -> None:
    """Make the window end ``least`` pixels below the last element of ``selector``, so that nothing is cut in half."""
    end = page.locator(selector).last.evaluate("one => one.getBoundingClientRect().bottom + window.scrollY")
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": int(end) + least})
