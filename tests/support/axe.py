"""Deque's axe-core in an open page: which rules of accessibility it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.support.browser import finished

SERIOUS = frozenset({"serious", "critical"})
COLOURS = ("color-contrast", "link-in-text-block")  # all rules that look at colours
# Rules whose findings nobody asks for cost as much as the others.
PREPARE = """kept => {
  for (const rule of axe._audit.rules) if (!kept.includes(rule.impact)) rule.enabled = false;
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-of-its-kind]" }] });
}"""
# Contrast is what axe takes longest for, and pages show the same few kinds of text again and again: three of a kind are
# asked about, and none of a kind that was well on a page before. A kind is all that decides the contrast, a link's from
# the text around it as well; what lies over something else is of none, and each is asked.
MARK = """(well) => {
  const grounds = new Map(), kinds = new Map(well.map((kind) => [kind, 3])), fresh = new Set();
  let asked = 0;
  const says = (one) => one.matches("input, select, textarea") ? 2
    : [...one.childNodes].reduce((sum, part) => part.nodeType === 3 ? sum + part.data.trim().length : sum, 0);
  for (const one of document.querySelectorAll("html, body, body *")) {
    const style = getComputedStyle(one), under = grounds.get(one.parentElement) ?? "";
    const apart = under === null || ["absolute", "fixed"].includes(style.position);
    const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.mixBlendMode].join();
    grounds.set(one, apart ? null : under + (own === "rgba(0, 0, 0, 0),none,1,none,normal" ? "" : `${own};`));
    one.removeAttribute("data-of-its-kind");
    const length = says(one);
    const box = one.getBoundingClientRect();
    if (!length || !one.checkVisibility() || box.width <= 1 || box.bottom + scrollY <= 0) continue;
    const off = Boolean(one.closest(":disabled, [aria-disabled=true]") || one.closest("label")?.control?.disabled);
    const around = one.matches("a[href]") ? [getComputedStyle(one.parentElement).color, style.textDecorationLine] : [];
    const text = [style.color, style.fontSize, style.fontWeight, style.textShadow, length < 2, off, ...around].join();
    const kind = `${grounds.get(one)}|${text}`, before = kinds.get(kind) ?? 0;
    if (!apart) kinds.set(kind, before + 1);
    if (!apart && before >= 3) continue;
    one.setAttribute("data-of-its-kind", "");
    asked += 1;
    if (!apart) fresh.add(kind);
  }
  return [asked, [...fresh]];
}"""
# Half a megabyte of script: the second page of a context and all further ones have it, compiled when it is first asked
# for; sent from here into each of them it costs twice as much.
LATER = f"void (window.axeLater = () => {{{AXE_SCRIPT}\n}})"  # void, as playwright would call what is a function
# Without what was found in order, which each page would send from the browser to here; null where axe is not there yet.
ASK = f"""async ([well, options, kept]) => {{
  if (!window.axe) {{
    if (!window.axeLater) return null;
    window.axeLater();
    ({PREPARE})(kept);
  }}
  const [asked, fresh] = ({MARK})(well);
  if (!asked && options.runOnly) return [[], []];
  return [(await axe.run(options)).violations, fresh];
}}"""
WELL: set[str] = set()


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
    return _asked(page, {})


def faint(page: Page, scheme: Literal["dark", "light"]) -> list[Finding]:
    """What is too faint in ``page`` once it changes to the other colour scheme: nothing but colours differs.

    `serious` was asked of the same page before. Meanwhile it changes at once: to draw how colours fade, which nobody
    looks at, took as long as asking. The next page of the tab may move again, as most people's do.
    """
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    finished(page)
    found = _asked(page, {"runOnly": list(COLOURS)})
    page.emulate_media(reduced_motion="no-preference")
    return found


def _asked(page: Page, options: dict[str, Any]) -> list[Finding]:
    """What axe finds."""
    asked = [sorted(WELL), options | {"resultTypes": ["violations"], "preload": False}, sorted(SERIOUS)]
    answer = page.evaluate(ASK, asked)
    if answer is None:
        page.context.add_init_script(LATER)
        page.evaluate(LATER)
        answer = page.evaluate(ASK, asked)
    response, fresh = answer
    found = [_finding(rule) for rule in response if rule["impact"] in SERIOUS]
    if not any(one.rule in COLOURS for one in found):
        WELL.update(fresh)
    return found


def _finding(rule: dict[str, object]) -> Finding:
    nodes = rule["nodes"]
    assert isinstance(nodes, list)
    summary = " ".join(str(nodes[0].get("failureSummary")).split())
    return Finding(str(rule["id"]), str(rule["impact"]), str(nodes[0]["target"]), summary, len(nodes))
