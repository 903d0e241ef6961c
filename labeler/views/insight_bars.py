"""Figures of insights as bars on one scale, with the words beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from attune.labeler.insights.amounts import between, change
from attune.labeler.insights.beside_words import BesideWords, depends_words, figures_of, holding_words
from attune.labeler.insights.insights import RETIRED, Told
from attune.labeler.insights.words import held, possible
from attune.models.insights.grades import lowest

LEAST_REACH = 0.1  # of the scale, as a log rate ratio: a small effect looks small


@dataclass(frozen=True)
class Bar:
    """An interval on a scale with 0 in the middle, in percent of its width; ``said`` is its text. ``cut``: a part of it
    is beyond the scale."""

    value: float
    low: float
    width: float
    said: str
    cut: bool = False


@dataclass(frozen=True)
class Line:
    """A row of figures: what it is of, its bar, how many titles, or why there is none."""

    name: str
    bar: Bar | None
    titles: int
    why: str = ""


def lines(figures: Mapping[str, Any], reach: float, enough: bool = True) -> list[Line]:
    """The headline, which is shrunk; the raw figure; and that with the interval that holds at every look. Without
    ``enough`` the headline is told as what is possible, not as a figure to use."""
    raw = "Corrected for misread images" if figures.get("corrected") else "As counted"
    within = figures.get("within", True)
    once, use = bar(figures, reach, within), shrunk_bar(figures, reach, enough)
    if not enough:
        use = replace(use, said=f"possible: {use.said}")
    told = [("The figure to use" if enough else "No figure to use yet", use), (f"{raw}, looked at once", once)]
    if ends := figures.get("any_time"):
        often = bar({"estimate": figures["estimate"], "ci": ends["ci"]}, reach, within)
        told.append((f"{raw}, looked at again and again", often))
    return [Line(name, one, figures["titles"]) for name, one in told]


@dataclass(frozen=True)
class Beside:
    """What was answered beside another feature: words, and its two figures as lines. ``grade``: that of its answer."""

    said: BesideWords
    lines: Sequence[Line]
    grade: str


def besides(one: Told, reach: float) -> list[Beside]:
    """Everything that was asked of an insight beside another feature."""
    found = []
    for way, words_of in (("depends", depends_words), ("holding", holding_words)):
        for entry in one.figures.get(way) or ():
            said, told = words_of(one, entry), figures_of(one, way, entry)
            rows = [Line(name, bar(asdict(part), reach), 0) for name, part in zip(said.ends, told, strict=False)]
            grades: list[Any] = [grade for grade in (entry.get("grade"), one.newest.grade) if grade]
            found.append(Beside(said, rows, lowest(grades) if entry.get("grade") and grades else ""))
    return found


def reach_of(found: Iterable[Told]) -> float:
    """The scale's half width for all insights, on the list and on each page: a longer bar is a larger effect.

    What is sure and holds decides, where there is any: one wide guess would make its bars too short to see.
    """
    told = [one for one in found if one.figures["estimate"] is not None]
    told = [one for one in told if one.enough and one.row.state != RETIRED] or told
    ends = [abs(end) for one in told for end in held(one.figures)]
    return float(max([LEAST_REACH, *ends]))


def shrunk_bar(figures: Mapping[str, Any], reach: float, enough: bool = True) -> Bar:
    """The headline's bar; without ``enough`` it says what is possible and no figure."""
    shrunk = {"estimate": figures["shrunk"]["estimate"], "ci": held(figures)}
    found = bar(shrunk, reach, figures.get("within", True))
    return found if enough else replace(found, said=possible(figures))


def bar(figures: Mapping[str, Any], reach: float, within: bool = True) -> Bar:
    """A figure with its interval on a scale from -``reach`` to ``reach``; ``within`` titles or across."""
    low, high = figures["ci"]

    def at(value: float) -> float:
        return round(50 + 50 * max(-1.0, min(1.0, value / reach)), 2)

    said = f"{change(figures['estimate'])}, {between(low, high, takes=not within)}"
    # A hair of tolerance: the widest interval of all ends where the scale does.
    beyond = max(abs(low), abs(high)) > 1.001 * reach
    return Bar(at(figures["estimate"]), at(low), round(at(high) - at(low), 2), said, beyond)


def line(name: str, part: Mapping[str, Any] | None, reach: float, within: bool = True) -> Line:
    """A row of the figures of a canvas or a half; ``within`` titles or across."""
    if part is None or part.get("estimate") is None:
        return Line(name, None, 0, (part or {}).get("why", "Too few titles for a figure of its own."))
    return Line(name, bar(part, reach, within), part["titles"])


def canvas_line(part: Mapping[str, Any], reach: float) -> Line:
    """A canvas that nobody asked about alone: drawn towards all canvases, so the luckiest does not stand out."""
    if part.get("estimate") is None:
        return line(part["canvas"], part, reach)
    return Line(part["canvas"], shrunk_bar(part, reach), part["titles"])


def halves_said(halves: Mapping[str, Any]) -> str:
    """Whether the figures of both halves point the same way; empty where one half has none."""
    found = [part["estimate"] for part in halves.values() if part and part.get("estimate") is not None]
    if len(found) < 2:
        return ""
    same = all(one > 0 for one in found) or all(one < 0 for one in found)
    return "Both halves point the same way." if same else "The two halves point different ways."
