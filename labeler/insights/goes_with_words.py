"""What goes with takes, one plain sentence for each feature. Grade D: never that anything is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.labeler.insights.amounts import between, change
from attune.labeler.insights.goes_with import SAYS
from attune.labeler.insights.words import sides_of, with_class
from attune.models.insights.side_means import THIRDS

NUMBER = dict(zip(THIRDS, ("low", "middling", "high"), strict=True))
NONE = "none of its images goes measurably with more takes"
MISREAD = "That may be misreading, which is not corrected here."


def tells(one: Mapping[str, Any]) -> bool:
    """Whether the prediction surely gets worse without the feature, for one of the models."""
    return any(one[model]["low"] > 0 for model in SAYS)


def first_side(one: Mapping[str, Any]) -> str:
    """The class or third that `sentence` is about first; empty where it names none."""
    sides = one["sides"]
    if not sides:
        return ""
    return str(sides[0]["side"]) if sides[0]["low"] > 0 else str(sides[-1]["side"]) if sides[-1]["high"] < 0 else ""


def sentence(one: Mapping[str, Any], classes: Sequence[str], uncorrected: bool) -> str:
    """What a feature goes with; ``uncorrected``: nobody corrects here what a probe or a detector gets wrong."""
    name, sides = one["feature"], one["sides"]
    if not tells(one):
        return f"{name} adds nothing measurable beside the other features."
    if not sides:
        return f"{name} goes with takes, on too few titles to say which images."
    more, fewer = sides[0]["low"] > 0, sides[-1]["high"] < 0
    if not more and not fewer:
        return f"{name} goes with takes together with other features. Alone, {NONE}."
    told = [sides[0]] if more else []
    if fewer and (not more or len(sides) > 2):  # of two, the other one says the same
        told.append(sides[-1])
    said = [_misread(name, side, classes) if uncorrected else _taken(name, side, classes) for side in told]
    said += [MISREAD] if uncorrected else []
    said += [] if more else [f"{NONE.capitalize()}."]
    return " ".join(said)


def otherwise(name: str, side: str, more: bool, classes: Sequence[str], uncorrected: bool) -> str:
    """Where an insight within titles points the other way; ``more``: across titles, ``side`` goes with more takes."""
    if uncorrected:
        return f"Across films it looks otherwise. {MISREAD} Use the first line."
    across, within = ("more", "less") if more else ("less", "more")
    return (
        f"Popular films have images {side_of(name, side, classes)} {across} often. Within one film, these are taken "
        f"{within} often. Use the first line."
    )


def agreement(one: Mapping[str, Any]) -> str:
    """Whether both methods surely predict worse without a feature that one of them does."""
    if all(one[model]["low"] > 0 for model in SAYS):
        return "Both methods agree: both find it."
    return "The two methods disagree: one finds it, the other one does not."


def _taken(name: str, side: Mapping[str, Any], classes: Sequence[str]) -> str:
    images, way = f"Images {side_of(name, side['side'], classes)}", "more" if side["low"] > 0 else "fewer"
    width = between(side["low"], side["high"], takes=True)
    beside = "an average image of all titles in the same place and period"
    return f"{images} go with {change(side['mean'])[1:]} {way} takes than {beside}: probably {width}."


def _misread(name: str, side: Mapping[str, Any], classes: Sequence[str]) -> str:
    way, read = "more" if side["low"] > 0 else "fewer", side["side"] if classes else NUMBER[side["side"]]
    return f"Images that {name} reads as “{read}” go with {way} takes."


def side_of(feature: str, side: str, classes: Sequence[str]) -> str:
    """Which images, after the word images."""
    if not classes:
        return f"with a {NUMBER[side]} {feature}"
    if len(classes) == 2:
        return sides_of(feature, ":".join(classes))[list(classes).index(side)]
    return with_class(feature, side)
