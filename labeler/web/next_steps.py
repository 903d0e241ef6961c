"""The one button of a question's next step: where it leads, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, url_for

from attune.labeler.measured import checks
from attune.labeler.web.tabs import section_address

SECTIONS = {
    "experts": ("h-experts", "See who differs"),
    "queues": ("h-queues", "View queues"),
    "measure": ("h-measure", "Request audit"),
    "ask": ("h-queues", "Choose whom to ask"),
}
PAGES = {
    "queue": ("label.start", "Start labelling"),
    "disputed": ("attribute.disputed_page", "Review disputed images"),
    "review": ("review.page", "Review new version"),
    "champion": ("results.page", "See what it finds"),
}
POOL = {"jobs": ("jobs.page", "View jobs"), "images": ("assets.page", "Add images")}


@dataclass(frozen=True)
class StepLink:
    """A button that leads to the page where the step is done."""

    href: str
    label: str


def init_app(app: Flask) -> None:
    """Let templates use ``step_link``."""
    app.jinja_env.globals.update(step_link=step_link)


def step_link(name: str, place: str | None) -> StepLink | None:
    """The button for a step of the question ``name``; None where there is nothing to do, or a form does it."""
    if place in SECTIONS:
        section, label = SECTIONS[place]
        return StepLink(section_address(name, section), label)
    if place in PAGES:
        endpoint, label = PAGES[place]
        return StepLink(url_for(endpoint, name=name), label)
    if place == "people":
        return StepLink(url_for("people.new", attributes=name), "Add expert")
    if place == "feature":
        return StepLink(url_for("features.one", name=checks.feature_of(name)), "See how often people agree")
    if place in POOL:
        endpoint, label = POOL[place]
        return StepLink(url_for(endpoint), label)
    return None
