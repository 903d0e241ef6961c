"""A slow browser: whatever a test does before a page is there fails each time, not once a month on a busy machine.

With ATTUNE_SLOW_BROWSER=4 pages have a quarter of the processor, each request takes `LATENCY_MS` longer, and no page
finds its scripts in the browser's cache. Scripts that load scripts then come long after the page is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

TIMES = float(os.environ.get("ATTUNE_SLOW_BROWSER") or 0)
LATENCY_MS = 200


def pages(patch: pytest.MonkeyPatch) -> None:
    """From now on each new page is slow, if that is asked for."""
    if TIMES:
        for maker in (Browser, BrowserContext):
            patch.setattr(maker, "new_page", _slowing(maker.new_page))


def _slowing(new_page: Callable[..., Page]) -> Callable[..., Page]:
    def made(self: Browser | BrowserContext, **options: Any) -> Page:
        page = new_page(self, **options)
        page.set_default_timeout(30_000 * TIMES)
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": TIMES})
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        speed = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.emulateNetworkConditions", speed)
        return page

    return made
