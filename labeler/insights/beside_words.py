"""What answers beside another feature say, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.insights import LARGEST_Q, Told
from attune.labeler.insights.words import chance, change, often, sides_of


@dataclass(frozen=True)
class BesideWords:
    """``title`` asks, ``sentence`` answers, ``note`` says what it is not; ``ends``: what its two figures are of."""

    title: str
    sentence: str
    note: str
    ends: tuple[str, str]


def depends_words(one: Told, entry: Mapping[str, Any]) -> BesideWords:
    """Does the effect depend on another feature?"""
    high, low = (f"Images {side}" for side in other_sides(entry))
    title = f"Does it depend on {entry['feature']}?"
    if entry["estimate"] is None:
        return BesideWords(title, entry["why"], "", (high, low))
    note = f"{chance(entry['q'])} Images that differ in {entry['feature']} differ in more than that."
    if entry["seen"]:
        said = "To be confirmed: it was asked after figures of both could be seen. Confirm it with new performance."
        return BesideWords(title, said, "", (high, low))
    if not sure(entry):
        said = f"No measurable difference between images {high[7:]} and images {low[7:]}."
        return BesideWords(title, said, "", (high, low))
    told = (f"{high}: {often(entry['high']['estimate'])}.", f"{low}: {often(entry['low']['estimate'])}.")
    return BesideWords(title, f"Yes. {' '.join(told)}", note, (high, low))


def holding_words(one: Told, entry: Mapping[str, Any]) -> BesideWords:
    """What is it with another feature held?"""
    name, ends = entry["feature"], (f"Whatever the {entry['feature']}", f"With the same {entry['feature']}")
    title = f"And with the same {name}?"
    if entry["held"] is None:
        return BesideWords(title, entry["why"], "", ends)
    alone, held = (often(entry[part]["estimate"]) for part in ("alone", "held"))
    said = f"Among images with the same {name}: {held}. Whatever the {name}: {alone}."
    note = f"Both are right: they answer two questions. Neither says that {name} is the reason."
    return BesideWords(title, said, note, ends)


def sure(entry: Mapping[str, Any]) -> bool:
    """Whether the effect depends on the other feature beside all other answers of this kind."""
    return entry["estimate"] is not None and not entry["seen"] and entry["q"] <= entry.get("largest_q", LARGEST_Q)


def other_sides(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Which images are at either end of the other feature, after the word images."""
    if entry["contrast"] == PER_SD:
        return f"with a high {entry['feature']}", f"with a low {entry['feature']}"
    return sides_of(entry["feature"], entry["contrast"])


def lines_of(one: Told) -> dict[str, str]:
    """For the command line: a line for each."""
    figures, told = one.figures, {}
    for entry in figures.get("depends") or ():
        said = depends_words(one, entry)
        more = (
            ""
            if entry["estimate"] is None
            else (f" (q {entry['q']:.3f}; {change(entry['high']['estimate'])} and {change(entry['low']['estimate'])})")
        )
        told[f"depends on {entry['feature']}"] = f"{said.sentence}{more}"
    for entry in figures.get("holding") or ():
        told[f"holding {entry['feature']}"] = holding_words(one, entry).sentence
    return told
