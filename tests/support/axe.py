"""Deque's axe-core in an open page: which rules of accessibility it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.browser import finished

SERIOUS = frozenset({"serious", "critical"})


@dataclass(frozen=True)
class Finding:
    """A rule that a page breaks, the first place where, and how to mend it."""

    rule: str
    impact: str
    target: str
    summary: str
    places: int

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}, {self.places} places), first {self.target}: {self.summary}"


def serious(page: Page) -> list[Finding]:
    """The serious and critical findings in ``page`` as it is shown now, in the order that axe tells them."""
    return _serious(Axe().run(page, options={"resultTypes": ["violations"]}).response)


def faint(page: Page, scheme: Literal["dark", "light"]) -> list[Finding]:
    """What is too faint in ``page`` once it changes to the other colour scheme: nothing but colours differs.

    `serious` was asked of the same page before.
    """
    page.emulate_media(color_scheme=scheme)
    finished(page)
    options = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
    return _serious(page.evaluate("options => axe.run(options)", options))


def _serious(response: dict[str, Any]) -> list[Finding]:
    return [_finding(rule) for rule in response["violations"] if rule["impact"] in SERIOUS]


def _finding(rule: dict[str, object]) -> Finding:
    nodes = rule["nodes"]
    assert isinstance(nodes, list)
    summary = " ".join(str(nodes[0].get("failureSummary")).split())
    return Finding(str(rule["id"]), str(rule["impact"]), str(nodes[0]["target"]), summary, len(nodes))
