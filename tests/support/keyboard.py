"""A person without a mouse: Tab to what says some words, Enter or Space, and the focus in sight at each stop."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Page, TimeoutError, expect

from tests.support import factories
from tests.support.browser import PATIENCE_MS

FARTHEST = 160  # presses of Tab from the top of a page to anything on it that a person needs
# What is wrong with the element that has the focus; empty where a person sees it. Of a hidden box its label shows it.
UNSEEN = """() => {
  const held = document.activeElement;
  if (!held || held === document.body || held.id === 'main') return '';
  const drawn = [held, ...(held.labels ?? []), held.nextElementSibling, held.closest('label')].filter(Boolean);
  const marked = (one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || (one === held && style.boxShadow !== 'none');
  };
  const inSight = (one) => {
    const box = one.getBoundingClientRect();
    return box.width > 2 && box.height > 2 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  };
  return drawn.some((one) => marked(one) && inSight(one)) ? '' : held.outerHTML.slice(0, 200);
}"""  # noqa: E501
WORDS = "(() => { const e = document.activeElement; return (e.labels?.[0] ?? e).innerText || e.value || '' })()"


def enter(page: Page, address: str, email: str, to: str = "/") -> None:
    """Log in, and be led on to the path ``to``."""
    page.goto(f"{address}/login?next={to}")
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(factories.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}{to}")


def reach(page: Page, words: str) -> None:
    """Press Tab until the focus is on what begins with ``words``; it is in sight at every stop on the way."""
    for _ in range(FARTHEST):
        page.keyboard.press("Tab")
        unseen, said = page.evaluate(f"[({UNSEEN})(), {WORDS}]")
        if unseen:
            in_sight(page)
        if str(said).strip().startswith(words):
            return
    raise AssertionError(f"no {FARTHEST} presses of Tab lead to {words!r} on {page.url}")


def in_sight(page: Page) -> None:
    """The focus is drawn, in the window; the browser may scroll to it first."""
    try:
        page.wait_for_function(f"() => ({UNSEEN})() === ''", timeout=PATIENCE_MS)
    except TimeoutError:
        raise AssertionError(f"on {page.url} nobody sees that the focus is on {page.evaluate(UNSEEN)}") from None


def follow(page: Page, words: str, key: str = "Enter") -> None:
    """Reach a link or button, press ``key``, and wait for the page it leads to."""
    reach(page, words)
    with page.expect_navigation():
        page.keyboard.press(key)


def focus(page: Page) -> str:
    """What has the focus, which something must: tag, id and text. A busy browser gives it late."""
    with suppress(TimeoutError):
        page.wait_for_function("document.activeElement !== document.body", timeout=PATIENCE_MS)
    told = "(() => { const e = document.activeElement; return [e.localName, e.id, e.innerText].join(' ') })()"
    found = str(page.evaluate(told))
    assert not found.startswith("body"), f"nothing has the focus on {page.url}"
    return found
