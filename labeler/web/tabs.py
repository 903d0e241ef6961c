"""The tabs of an attribute, and in which of them each section stands."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, g, url_for

LABEL, RESULTS, VERSIONS, MANAGE = "attribute.page", "results.page", "attribute.versions", "attribute.manage"
TITLES = {LABEL: "Label", RESULTS: "Results", VERSIONS: "Versions", MANAGE: "Manage"}
# The ids of sections, by the tab in which owners and experts find them: links and notices of before the tabs hold them.
OWNERS = {
    "h-curve": RESULTS, "h-done": RESULTS, "live-curve": RESULTS, "live-advice": RESULTS,
    "h-versions": VERSIONS, "h-drift": VERSIONS, "live-drift": VERSIONS, "h-history": VERSIONS,
    "h-measure": MANAGE, "live-measure": MANAGE, "h-line": MANAGE, "live-line": MANAGE, "h-experts": MANAGE,
    "live-experts": MANAGE, "h-queues": MANAGE, "h-diversity": MANAGE, "live-diversity": MANAGE,
    "h-scope": LABEL, "h-answers": LABEL, "h-recent": LABEL, "contested": LABEL, "differs": LABEL,
}  # fmt: skip
EXPERTS = {section: tab for section, tab in OWNERS.items() if tab in (LABEL, RESULTS)}


@dataclass(frozen=True)
class Tab:
    """A tab with its address."""

    endpoint: str
    title: str
    address: str


def init_app(app: Flask) -> None:
    """Make the tabs known to every template."""
    app.jinja_env.globals.update(attribute_tabs=of, section_address=section_address, section_addresses=addresses)


def of(name: str) -> list[Tab]:
    """The tabs that the viewer has."""
    shown = TITLES if g.viewer.manages else {key: TITLES[key] for key in (LABEL, RESULTS)}
    return [Tab(endpoint, title, url_for(endpoint, name=name)) for endpoint, title in shown.items()]


def section_address(name: str, section: str) -> str:
    """The address of a section of the attribute ``name``, on the tab that has it."""
    return url_for(_places().get(section, LABEL), name=name, _anchor=section)


def addresses(name: str) -> dict[str, str]:
    """Every section's tab, for an address that names the section alone."""
    return {section: url_for(tab, name=name) for section, tab in _places().items()}


def _places() -> dict[str, str]:
    return OWNERS if g.viewer.manages else EXPERTS
