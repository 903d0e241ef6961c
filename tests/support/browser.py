"""A real Chromium for tests: the fixtures ``browser`` (one a session, playwright allows no second) and ``page``.

Found at ATTUNE_CHROMIUM, as Debian installs it, on PATH, or as playwright's own download; best as the headless shell,
which has no window to draw and takes half the processor time for the same pages. Without any the tests are skipped,
which ATTUNE_REQUIRE_BROWSER=1 turns into a failure.

A busy machine draws a page long before it has run the page's script. A key that a test presses waits for that script,
and what a test expects may take `PATIENCE_MS`, which only a test that fails takes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Keyboard, Locator, Page, Playwright, expect, sync_playwright

from tests.support import slow

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The last five keep Chromium from looking for hosts that a closed network refuses, many at a time.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# All that a page shows once its load event is over: letters in their own font, images that are not put off, and what
# fades from one colour into another. Half a second without a request, which playwright would wait for, adds nothing.
FINISHED = """async () => {
  const loaded = (one) => one.complete || new Promise((done) => { one.onload = one.onerror = done; });
  await document.fonts.ready;
  await Promise.all([...document.images].filter((one) => one.loading !== "lazy").map(loaded));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const fading = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(fading.map((one) => one.finished));
}"""
PATIENCE_MS = int(20_000 * max(slow.TIMES, 1))
expect.set_options(timeout=PATIENCE_MS)
KEYBOARD, PRESS = Page.keyboard, Locator.press
MISSING = "no Chromium: install Debian's chromium, or set ATTUNE_CHROMIUM to one"


def executable(playwright: Playwright) -> str | None:
    """The path of a Chromium, or None."""
    places = [os.environ.get("ATTUNE_CHROMIUM"), *map(shutil.which, NAMES)]
    places.append(playwright.chromium.executable_path)
    return next((place for place in places if place and Path(place).exists()), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the session."""
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            if os.environ.get("ATTUNE_REQUIRE_BROWSER") == "1":
                pytest.fail(MISSING)
            pytest.skip(MISSING)
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Page, "keyboard", property(_heard))
            patch.setattr(Locator, "press", _press)
            slow.pages(patch)
            yield opened
        opened.close()


def _heard(page: Page) -> Keyboard:
    """The keyboard of ``page`` once its script listens; images may still be on their way."""
    page.wait_for_load_state("domcontentloaded")
    return KEYBOARD.__get__(page)


def _press(self: Locator, key: str, **options: Any) -> None:
    self.page.wait_for_load_state("domcontentloaded")
    PRESS(self, key, **options)


def finished(page: Page) -> None:
    """Wait until ``page`` is drawn as it stays."""
    page.wait_for_load_state("load")
    page.evaluate(FINISHED)


def shown(page: Page, before: str = "") -> str:
    """What a labelling page has painted (the key of its question, or of its pages), once it is not ``before``.

    A page that has just been opened has no body for a moment.
    """
    painted = "b => { const now = document.body?.dataset.shown; return now && now !== b ? now : null; }"
    return str(page.wait_for_function(painted, arg=before).json_value())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own, 1400 by 900; an error of the page's own script fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors, f"the page's script failed: {errors}"
