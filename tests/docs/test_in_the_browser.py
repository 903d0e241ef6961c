"""The buttons and tabs that docs/tutorial/in-the-browser.md says to press are on the pages by these words."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "tutorial" / "in-the-browser.md").read_text(encoding="utf-8")
PRESSED = sorted(set(re.findall(r"\*([A-Z][^*\n]+)\*", PAGE.replace("**", ""))))
VARIES = re.compile(r"\b(?:400|30|3|ana@studio\.example)\b")  # what the console fills in
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder, kind in (("templates", "*.html"), ("pages", "*.py"), ("static", "*.js"))
    for path in sorted((ROOT / "labeler" / "web" / folder).glob(kind))
)


@pytest.mark.parametrize("words", PRESSED)
def test_what_the_tutorial_presses_is_on_a_page(words: str) -> None:
    parts = [part.strip() for part in VARIES.split(words) if part.strip()]
    assert all(part in SOURCES for part in parts), f"no page says {words!r}"


def test_the_tutorial_names_buttons() -> None:
    assert {"Add to the pool", "Create question", "Start labelling", "Send to a queue"} <= set(PRESSED)
