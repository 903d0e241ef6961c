"""What tests of pages look at: all of a page is in its window, at a desk and on a telephone, and nobody is kept out.

`ATTUNE_PICTURES=FOLDER` keeps a picture of each page that is looked at.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page

from tests.support import axe, factories
from tests.support.browser import finished

DESK, TELEPHONE = 1400, 390
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


def enter(page: Page, address: str, email: str) -> None:
    """Log in without drawing the form and the page behind it: a page costs more than what most tests look at."""
    browser = page.context.request
    found = TOKEN.search(browser.get(f"{address}/login").text())
    assert found
    form = {"csrf_token": found.group(1), "email": email, "password": factories.PASSWORD}
    assert browser.post(f"{address}/login", form=form, max_redirects=0).status == 302


def look(page: Page, name: str) -> None:
    """At both widths nothing is wider than its window; as it is, no serious rule of accessibility is broken.

    The page stays as wide as it is.
    """
    here = page.viewport_size
    assert here
    page.wait_for_load_state("load")  # a page that has just begun has no width yet
    for width in sorted((DESK, TELEPHONE), key=lambda one: one == here["width"]):
        page.set_viewport_size({**here, "width": width})
        assert not page.evaluate(TOO_WIDE), f"{name} is wider than {width} pixels"
        keep(page, f"{name}-{width}")
    finished(page)
    found = [str(one) for one in axe.serious(page)]
    assert not found, f"{name}: {found}"


def keep(page: Page, name: str) -> None:
    """A picture of ``page``, where somebody asked for pictures."""
    if folder := os.environ.get("ATTUNE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
