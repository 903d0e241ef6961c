"""A drift: the scores at publication as a filled shape, those of new assets as a line over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from attune.labeler.views.drift import Moved
from attune.labeler.web.svg.frame import Frame, Tick

MARGINS = (10, 8, 30, 8)
MARKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)  # probabilities at which the axis of log-odds is marked
LEAST_APART = 44  # pixels between two ticks


@dataclass(frozen=True, kw_only=True)
class Histogram(Frame):
    """One class: two outlines of the same bins, and ticks told as probabilities."""

    name: str
    before: str
    after: str
    ticks: Sequence[Tick]
    words: str


def histograms(shifts: Sequence[Moved]) -> list[tuple[Histogram, Histogram]]:
    """Each class for a wide and for a narrow page."""
    return [(_draw(one, 540, 180), _draw(one, 320, 170)) for one in shifts]


def _draw(one: Moved, width: int, height: int) -> Histogram:
    low, high = one.edges[0], one.edges[-1]
    top = max(*one.before, *one.after) or 1.0
    frame = Frame(width=width, height=height, margins=MARGINS, x_from=low, x_to=high, y_to=top)
    marks = [(log(mark / (1 - mark)), f"{mark:g}") for mark in MARKS]
    return Histogram(
        **vars(frame),
        name=one.name,
        before=frame.path(_outline(one.edges, one.before)) + " Z",
        after=frame.path(_outline(one.edges, one.after)),
        ticks=_apart(frame.x_marks((at, text) for at, text in marks if low <= at <= high)),
        words=(
            f"Scores of class {one.name}: population stability index {one.psi:.2f}, largest gap between the two curves "
            f"{one.ks:.2f}."
        ),
    )


def _outline(edges: Sequence[float], shares: Sequence[float]) -> Iterator[tuple[float, float]]:
    """A histogram's outline, from the floor to the floor."""
    yield edges[0], 0.0
    for i, share in enumerate(shares):
        yield edges[i], share
        yield edges[i + 1], share
    yield edges[-1], 0.0


def _apart(ticks: Sequence[Tick]) -> list[Tick]:
    kept: list[Tick] = []
    for tick in ticks:
        if not kept or tick.at - kept[-1].at >= LEAST_APART:
            kept.append(tick)
    return kept
