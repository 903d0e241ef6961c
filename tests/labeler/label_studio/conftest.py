"""The browser, for the tests of the expert's link."""

from __future__ import annotations

from tests.browser import browser, page

__all__ = ["browser", "page"]
