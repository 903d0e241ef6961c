"""What is said of a cluster's performance on a canvas: no more than within-title comparisons allow."""

from __future__ import annotations

from math import exp

from attune.labeler.spaces.cluster_performance import OnCanvas, Performed
from attune.models.insights.within_title import LEAST_TITLES


def sentence(one: OnCanvas) -> str:
    """One sentence: more or less often, no difference found, or why it cannot be told."""
    if one.estimate is None or one.shrunk is None:
        if one.titles >= LEAST_TITLES:
            return "Attune cannot say how these images do: one side of the comparison has no takes."
        return "Attune cannot say how these images do: the picture and the title cannot be told apart."
    times = f"{exp(one.shrunk):.2f} times as often as other images of the same title"
    if not one.differs:
        return f"No difference found. These images are taken {times}, and chance alone can do that."
    if one.grade == "A":
        return f"These images are taken {times}."
    return f"These images are taken {times}. They were not shown at random, so something else may explain it."


def first_lines(found: Performed | None) -> dict[int, str]:
    """Of each cluster the surest difference that was found, if any."""
    told: dict[int, str] = {}
    for one in sorted(found.rows if found else (), key=lambda one: 1.0 if one.q is None else one.q):
        if one.differs and one.shrunk is not None:
            random = "" if one.grade == "A" else ", not shown at random"
            told.setdefault(
                one.number, f"{one.canvas}: taken {exp(one.shrunk):.2f} times as often within titles{random}"
            )
    return told


def confounding(one: OnCanvas) -> str:
    """How far title and cluster go together on this canvas."""
    sided = one.titles_in - one.titles
    counts = f"{one.titles:,} of {one.titles_in:,} titles with images of this cluster also have other images here"
    if one.titles < LEAST_TITLES:
        return f"{counts}. At least {LEAST_TITLES} are needed, as Attune compares images within a title only."
    if not sided:
        return f"{counts}, so all of them are compared within the title."
    return f"{counts}. The other {sided:,} say nothing: whether their title or their picture does it, nobody can tell."


def figures(one: OnCanvas) -> str:
    """The numbers behind the sentence."""
    if one.estimate is None or one.lo is None or one.hi is None:
        return f"Grade {one.grade}."
    other = f", the other way in {one.share_other_way:.0%} of titles" if one.share_other_way else ""
    q = "" if one.q is None else f", q {one.q:.2g} over all clusters and canvases"
    return (
        f"Rate ratio before shrinkage {exp(one.estimate):.2f}, 95 % interval {exp(one.lo):.2f} to {exp(one.hi):.2f}, "
        f"errors by title{q}{other}. Grade {one.grade}."
    )
