"""Geometry of a drift: the scores at publication as a filled shape, those of new assets as a line over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

from attune.labeler.views.drift import Moved
from attune.labeler.web.charts import Tick

TOP, BOTTOM, SIDE = 10, 30, 8
MARKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)  # probabilities at which the axis of log-odds is marked


@dataclass(frozen=True)
class Histogram:
    """One class, ``width`` by ``height`` pixels: two outlines of the same bins, and ticks told as probabilities."""

    width: int
    height: int
    name: str
    before: str
    after: str
    ticks: Sequence[Tick]
    words: str

    @property
    def floor(self) -> int:
        """The height of an empty bin."""
        return self.height - BOTTOM


def histograms(shifts: Sequence[Moved]) -> list[tuple[Histogram, Histogram]]:
    """Each class for a wide and for a narrow page."""
    return [(_draw(one, 540, 180), _draw(one, 320, 170)) for one in shifts]


def _draw(one: Moved, width: int, height: int) -> Histogram:
    low, high = one.edges[0], one.edges[-1]
    top = max(*one.before, *one.after) or 1.0

    def x(logit: float) -> float:
        return round(SIDE + (width - 2 * SIDE) * (logit - low) / ((high - low) or 1.0), 1)

    def y(share: float) -> float:
        return round(height - BOTTOM - (height - TOP - BOTTOM) * share / top, 1)

    marks = [(_logit(mark), f"{mark:g}") for mark in MARKS]
    ticks = _apart([Tick(x(at), text) for at, text in marks if low <= at <= high], 44)
    words = (
        f"Scores of class {one.name}: population stability index {one.psi:.2f}, largest gap between the two curves "
        f"{one.ks:.2f}."
    )
    return Histogram(
        width, height, one.name, _steps(one.edges, one.before, x, y) + " Z", _steps(one.edges, one.after, x, y), ticks,
        words,
    )  # fmt: skip


def _steps(
    edges: Sequence[float], shares: Sequence[float], x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    """A histogram's outline, from the floor to the floor."""
    parts = [f"M{x(edges[0])} {y(0.0)}"]
    for i, share in enumerate(shares):
        parts.append(f"L{x(edges[i])} {y(share)} L{x(edges[i + 1])} {y(share)}")
    return " ".join([*parts, f"L{x(edges[-1])} {y(0.0)}"])


def _apart(ticks: Sequence[Tick], least: float) -> list[Tick]:
    kept: list[Tick] = []
    for tick in ticks:
        if not kept or tick.at - kept[-1].at >= least:
            kept.append(tick)
    return kept


def _logit(p: float) -> float:
    """The log-odds of a probability."""
    return log(p / (1 - p))
