"""What an insight says, in words that need no statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attune.labeler.insights.amounts import USUAL, between, change, often, step
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.imported import FIRST
from attune.labeler.insights.insights import Told, basis_of
from attune.labeler.records.schema import InsightQuestion
from attune.models.text import plural

MOSTLY = 0.5  # a q value above which most such answers are false
AGREE = 0.005  # of titles that go the other way: below, none is known to
WIDE = 1.96  # standard errors on either side of a headline
SECOND = ("0", "false", "no", "n", "f")
GRADES = {
    "A": "Shown at random. The images make the difference.",
    "B": "Chosen with known chances. The images make the difference, if the chances are right, and if all impressions "
         "of a row had the same one, as its import says.",
    "C": "Not shown at random. Something else may be the reason.",
    "D": "Compared across titles. It goes with the takes, and does not say why.",
}  # fmt: skip
BEST = {"random": "A", "logged": "B", "every": "C"}  # grade of each basis, within titles
SHOWN = {"random": "Shown at random", "logged": "Chosen with known chances", "every": "Compared within titles"}
NO_ONE_CHANCE = (
    "Not shown at random. The rows have chances, and no import says that all impressions of a row had the same one. "
    "Something else may be the reason."
)
NOT_AUDITED = "Not checked by people yet: the detector’s errors are not known."
DIFFER = "Two images differ in other things too."
EXAMPLE = f"One of the clearest pairs, not a typical one. {DIFFER}"
EXAMPLES = f"Examples: the clearest of all pairs, not typical ones: they were chosen because they show it. {DIFFER}"
NO_PROOF = "That may be chance, or something else in the images: no proof of what works there."
NO_FIGURE = "No figure to use yet."
UNSURE = "It is not known yet which images are taken more often."
HINDERED = "Its errors are not corrected yet."
# Takes of an example, and the difference between its two images: whole takes then show the percentage.
LEAST_TAKES, LEAST_DIFFERENCE, MOST_TIMES = 30, 10, 1_000_000


@dataclass(frozen=True)
class Words:
    """``sentence`` for a creative, ``interval`` and ``other_way`` in words; ``sides`` what the two pictures show;
    ``caution`` what nobody knows; ``reason`` why it has its grade; ``plain`` the headline in times shown;
    ``unchecked``: nobody has looked here whether the feature's values are right."""

    sentence: str
    interval: str
    other_way: str
    basis: str
    sides: tuple[str, str]
    chance: str = ""
    caution: str = ""
    reason: str = ""
    plain: str = ""
    unchecked: str = ""


def words(one: Told) -> Words:
    """All words of an insight."""
    first, second = sides_of(one.question.feature, one.question.contrast)
    figures, sides = one.figures, (caption(first), caption(second))
    if figures["estimate"] is None:
        return Words(asks(one.question), "", "", figures["why"], sides)
    width, rests = interval(figures, one.enough), basis(figures)
    shares = other_way(figures) if one.enough else ""  # before it is sure, no way is the other one
    return Words(
        sentence(one), width, shares, rests, sides, chance(figures["q"]), caution_of(figures), reason(one),
        in_times(one) if one.enough else "", unchecked(one),
    )  # fmt: skip


def in_times(one: Told) -> str:
    """The headline as takes of two images that are shown as often, beginning from the mean rate of the data: a
    percentage of what, in whole numbers. Empty where the effect would give more takes than times shown."""
    figures, effect = one.figures, one.figures["shrunk"]["estimate"]
    if not figures["within"]:
        return ""
    rate, of = figures.get("rate") or 0.1, 100
    while of < MOST_TIMES and (rate * of < LEAST_TAKES or rate * of * abs(math.expm1(effect)) < LEAST_DIFFERENCE):
        of *= 10
    base = max(round(rate * of), 1)
    taken = round(base * math.exp(effect))
    if taken > of or taken == base:
        return ""
    first, second = sides_of(one.question.feature, one.question.contrast)
    begin = f"Shown {of:,} times,"
    if figures["unit"]:
        other = f"one whose {one.question.feature} is {step(figures['unit'])} higher"
        return f"{begin} an image is taken {base:,} times; {other} about {taken:,} times."
    other = f"the one {_beside(first, second)} about {taken:,} times"
    return f"{begin} the image {second} is taken {base:,} times; {other}."


def _beside(first: str, second: str) -> str:
    """``first`` as it is said after ``second``: shorter where only with and without differ."""
    for one, other in (("with ", "without "), ("without ", "with ")):
        if first.startswith(one) and second == other + first.removeprefix(one):
            return f"{one}it"
    return first


def unchecked(one: Told) -> str:
    """That no person has checked the feature's values, whatever its grade; a corrected figure needs no such words.
    Of a file it is known only that nobody did so here: people may have made it."""
    figures = one.figures
    if one.question.kind == "imported":
        return f"Nobody has checked here whether the file is right about {one.question.feature}"
    if figures.get("not_audited") and not figures.get("hindered"):
        return f"Values of {one.question.feature} not checked by people"
    return ""


def caution_of(figures: Mapping[str, Any]) -> str:
    """What nobody knows of the figures, or why known errors are not corrected."""
    if not figures.get("not_audited"):
        return ""
    return f"{HINDERED} {figures['hindered']}" if figures.get("hindered") else NOT_AUDITED


def reason(one: Told) -> str:
    """Why the answer has its grade, by the rows that gave it."""
    grade, figures, basis = one.newest.grade, one.figures, basis_of(one.figures)
    if not figures["within"]:
        return GRADES["D"]
    if grade == "C" and basis == "every" and figures.get("undeclared"):
        return NO_ONE_CHANCE
    if grade == BEST[basis]:
        return GRADES[grade] if one.enough else f"{SHOWN[basis]}. {UNSURE}"
    if grade == "C" and figures.get("not_audited"):
        return f"{SHOWN[basis]}. What the detector gets wrong may be the reason."
    if grade == "C" and basis == "random" and not figures["ratio"]["believed"]:
        return "Planned as random, but too many tests were not shown as planned. Something else may be the reason."
    return f"{SHOWN[basis]}. An earlier answer had grade {grade}, and a grade never rises."


def sides_of(feature: str, contrast: str) -> tuple[str, str]:
    """Which images are on either side, after the word images."""
    if contrast == PER_SD:
        return f"with a higher {feature}", f"with a lower {feature}"
    first, _, second = contrast.partition(":")
    for one, other, has, lacks in ((first, second, "with", "without"), (second, first, "without", "with")):
        if one.lower() in FIRST and other.lower() in SECOND:
            return f"{has} “{feature}”", f"{lacks} “{feature}”"
        if other in {f"not {one}", f"no {one}"}:
            return f"{has} “{one}”", f"{lacks} “{one}”"
    return with_class(feature, first), with_class(feature, second)


def with_class(feature: str, name: str) -> str:
    """Images of one of several classes, after the word images; a bare number would not say of what."""
    return f"with “{feature}: {name}”" if name[:1].isdigit() else f"with “{name}”"


def caption(side: str) -> str:
    """What stands under a picture of one side."""
    return side.removeprefix("with ")


def compared(question: InsightQuestion) -> str:
    """What is compared."""
    first, second = sides_of(question.feature, question.contrast)
    return f"images {first} beside images {second}"


def asks(question: InsightQuestion) -> str:
    """The question itself, for what has no answer yet."""
    first, second = sides_of(question.feature, question.contrast)
    where = f" on {question.canvas}" if question.canvas else ""
    return f"Are images {first} taken more often than images {second}{where}?"


def place(one: Told) -> str:
    """Where."""
    return f" on {one.question.canvas}" if one.question.canvas else ""


def sentence(one: Told) -> str:
    """The headline: shrunk, because the largest of many figures is also the luckiest."""
    first, second = sides_of(one.question.feature, one.question.contrast)
    figures, number = one.figures, change(one.figures["shrunk"]["estimate"])
    if one.seen:
        return f"To be confirmed: {compared(one.question)}{place(one)}."
    if not one.enough:
        return f"Not sure yet: {compared(one.question)}{place(one)}."
    higher = f"whose {one.question.feature} is {step(figures['unit'])} higher ({USUAL})" if figures["unit"] else ""
    if not figures["within"]:
        more = "more" if figures["shrunk"]["estimate"] > 0 else "fewer"
        amount, than = f"{number[1:]} {more} takes", "" if higher else f" than artwork {second}"
        return f"Across titles, artwork {higher or first} goes with {amount}{than}{place(one)}."
    amount = often(figures["shrunk"]["estimate"])
    if higher:
        return f"Within a title, an image {higher} is taken {amount}{place(one)}."
    return f"Within a title, images {first} are taken {amount} than images {second}{place(one)}."


def held(figures: Mapping[str, Any]) -> tuple[float, float]:
    """The headline's interval: as many of its errors wide as the raw figure's, the one that decides, at all looks."""
    middle, error = figures["shrunk"]["estimate"], figures["shrunk"]["se"]
    if not figures.get("any_time") or figures["se"] <= 0:
        return middle - WIDE * error, middle + WIDE * error
    low, high = figures["any_time"]["ci"]
    errors = error / figures["se"]
    return middle - (figures["estimate"] - low) * errors, middle + (high - figures["estimate"]) * errors


def interval(figures: Mapping[str, Any], enough: bool) -> str:
    """The headline's interval; ``enough``: beside all other answers, too, it is sure which way it goes."""
    if not enough:
        return f"{NO_FIGURE} Possible: {possible(figures)}."
    low, high = held(figures)
    said = between(low, high, takes=not figures.get("within", True))
    return f"Probably {said}." if low * high > 0 else f"Anything {said} is possible."


def possible(figures: Mapping[str, Any]) -> str:
    """The headline's interval where it is not sure which way it goes: no difference is possible, too."""
    low, high = held(figures)
    nothing = ", or no difference" if low * high > 0 else ""
    return f"{between(low, high, takes=not figures.get('within', True))}{nothing}"


def other_way(figures: dict[str, Any]) -> str:
    """In how many titles it is different."""
    share = figures.get("share_other_way")
    if share is None:
        return ""
    if share < AGREE:
        return "The titles agree: none is known to go the other way."
    there = "less often" if figures["shrunk"]["estimate"] > 0 else "more often"
    return (
        f"Expect it over many titles, not in each one. In about {100 * share:.0f} % of titles it goes the other way: "
        f"there, such images are taken {there}. {NO_PROOF}"
    )


def chance(q: float) -> str:
    """What a q value says."""
    if q < 0.001:
        return "Of 1,000 answers as clear as this one, fewer than 1 is a false alarm (q below 0.001)."
    if q > MOSTLY:
        return "This is probably only chance."
    return f"Of answers as clear as this one, about 1 in {round(1 / q):,} is a false alarm (q {q:.3f})."


def basis(figures: dict[str, Any]) -> str:
    """What it rests on."""
    counts = (plural(figures["titles"], "title"), plural(figures["assets"], "image"))
    return f"{', '.join(counts)}, {plural(figures['impressions'], 'impression')}"
