"""What answers beside another feature say, in words that need no statistics.

Figures are told only of an insight that is sure itself, drawn towards the middle as its headline is, with the interval
that holds at all looks: of several dependences, the one that looks sure is also the luckiest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.insights.amounts import between, often, step
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.insights import LARGEST_Q, Told
from attune.labeler.insights.words import NOT_AUDITED, WIDE, basis, chance, sides_of

PARTS = {"depends": ("high", "low"), "holding": ("alone", "held")}  # the two figures of each way


@dataclass(frozen=True)
class BesideWords:
    """``title`` asks, ``sentence`` answers, ``note`` says what it is not; ``ends``: what its two figures are of.
    ``basis``: what they rest on; ``caution``: what nobody knows of them."""

    title: str
    sentence: str
    note: str
    ends: tuple[str, str]
    basis: str = ""
    caution: str = ""


@dataclass(frozen=True)
class Drawn:
    """A figure to be told, with the interval ``ci`` that holds at all looks."""

    estimate: float
    ci: tuple[float, float]

    @property
    def said(self) -> str:
        """In words."""
        return f"{often(self.estimate)} (probably {between(*self.ci)})"


def depends_words(one: Told, entry: Mapping[str, Any]) -> BesideWords:
    """Does the effect depend on another feature?"""
    high, low = (f"Images {side}" for side in other_sides(entry))
    title, ends = f"Does it depend on {entry['feature']}?", (high, low)
    if entry["estimate"] is None:
        return BesideWords(title, entry["why"], "", ends)
    rests, caution = basis(dict(entry)), caution_of(entry)
    if entry["seen"] or one.seen:
        said = "To be confirmed: it was asked after figures of both could be seen. Confirm it with new performance."
        return BesideWords(title, said, "", ends, rests, caution)
    if not sure(entry):
        said = f"No measurable difference between images {high[7:]} and images {low[7:]}."
        return BesideWords(title, said, "", ends, rests, caution)
    note = f"{chance(entry['q'])} Images that differ in {entry['feature']} differ in more than that."
    if entry["contrast"] == PER_SD and entry.get("unit"):
        note = f"{note} High and low are {step(entry['unit'])} above and below the average {entry['feature']}."
    told = [f"{end}: {figure.said}." for end, figure in zip(ends, figures_of(one, "depends", entry), strict=False)]
    said = " ".join(told) if told else "How much is told once the insight itself is sure."
    return BesideWords(title, f"Yes. {said}", note, ends, rests, caution)


def holding_words(one: Told, entry: Mapping[str, Any]) -> BesideWords:
    """What is it with another feature held?"""
    name, ends = entry["feature"], ("All images", f"With the same {entry['feature']}")
    title = f"And with the same {name}?"
    if entry["held"] is None:
        return BesideWords(title, entry["why"], "", ends)
    rests, caution = basis(dict(entry)) if "assets" in entry else "", caution_of(entry)
    told = figures_of(one, "holding", entry)
    if not told:
        said = "To be confirmed" if one.seen else "Not sure yet"
        return BesideWords(title, f"{said}, alone or with the same {name}.", "", ends, rests, caution)
    alone, held = (figure.said for figure in told)
    said = f"Among images with the same {name}: {held}. Among all images, whatever they show of {name}: {alone}."
    note = (
        f"To choose between two images as they are, use the figure of all images. The other one is for artwork in "
        f"which {name} stays as it is. Neither says that {name} is the reason."
    )
    return BesideWords(title, said, note, ends, rests, caution)


def figures_of(one: Told, way: str, entry: Mapping[str, Any]) -> list[Drawn]:
    """The two figures of an answer; none where the insight is not sure, or the answer may have been chosen for them."""
    parts = [entry.get(name) for name in PARTS[way]]
    if not one.enough or entry["seen"] or any(part is None for part in parts):
        return []
    known = [part for part in parts if part is not None]
    return _apart(one.figures, known, entry) if way == "depends" else [_held(one.figures, part) for part in known]


def _apart(base: Mapping[str, Any], ends: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[Drawn]:
    """Both ends: what they share as the insight's headline, what they differ in as the difference, is drawn to 0."""
    weights = [1 / max(end["se"] ** 2, 1e-300) for end in ends]
    middle = sum(weight * end["estimate"] for weight, end in zip(weights, ends, strict=True)) / sum(weights)
    drawn = [_share(base) * middle + _share(entry) * (end["estimate"] - middle) for end in ends]
    return [_with_interval(estimate, end["se"], entry) for estimate, end in zip(drawn, ends, strict=True)]


def _held(base: Mapping[str, Any], part: Mapping[str, Any]) -> Drawn:
    """A figure of the same effect, drawn as the headline."""
    return _with_interval(_share(base) * part["estimate"], part["se"], base)


def _share(figures: Mapping[str, Any]) -> float:
    """How much of a raw figure is left of it once it is shrunk."""
    shrunk = figures.get("shrunk")
    return float(shrunk["estimate"] / figures["estimate"]) if shrunk and figures["estimate"] else 1.0


def _with_interval(estimate: float, se: float, looked: Mapping[str, Any]) -> Drawn:
    """As many errors wide as the interval of ``looked`` that holds at all looks."""
    raw, ends = looked["estimate"], looked.get("any_time")
    if not ends or looked["se"] <= 0:
        return Drawn(estimate, (estimate - WIDE * se, estimate + WIDE * se))
    low, high = ((end - raw) / looked["se"] for end in ends["ci"])
    return Drawn(estimate, (estimate + low * se, estimate + high * se))


def caution_of(entry: Mapping[str, Any]) -> str:
    """Which errors are not corrected."""
    if not entry.get("not_audited"):
        return ""
    return entry.get("hindered") or NOT_AUDITED


def sure(entry: Mapping[str, Any]) -> bool:
    """Whether the effect depends on the other feature beside all other answers of this kind."""
    return entry["estimate"] is not None and not entry["seen"] and entry["q"] <= entry.get("largest_q", LARGEST_Q)


def other_sides(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Which images are at either end of the other feature, after the word images."""
    if entry["contrast"] == PER_SD:
        return f"with a high {entry['feature']}", f"with a low {entry['feature']}"
    return sides_of(entry["feature"], entry["contrast"])


def lines_of(one: Told) -> dict[str, str]:
    """For the command line: a line for each, with the page's words."""
    told = {}
    for way, head, words_of in (("depends", "depends on", depends_words), ("holding", "holding", holding_words)):
        for entry in one.figures.get(way) or ():
            said = words_of(one, entry)
            parts = (said.sentence, said.note, said.caution, f"{said.basis}." if said.basis else "")
            told[f"{head} {entry['feature']}"] = " ".join(part for part in parts if part)
    return told
