"""A real Chromium for tests: the fixtures ``browser`` (one a session, playwright allows no second) and ``page``.

Found at ATTUNE_CHROMIUM, as Debian installs it, on PATH, or as playwright's own download; best as the headless shell,
which has no window to draw and takes half the processor time for the same pages. Without any the tests are skipped,
which ATTUNE_REQUIRE_BROWSER=1 turns into a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

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
        yield opened
        opened.close()


def finished(page: Page) -> None:
    """Wait until ``page`` is drawn as it stays."""
    page.wait_for_load_state("load")
    page.evaluate(FINISHED)


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
