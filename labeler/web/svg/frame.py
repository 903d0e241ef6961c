"""The frame of a drawing: its size in pixels, its margins, and where a value lies in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dot:
    """A measured value, with its interval from ``low`` to ``high`` (all in pixels) and what to say about it."""

    x: float
    y: float
    low: float
    high: float
    tip: str


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, at a place in pixels."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A drawing of ``width`` by ``height`` pixels, which are SVG's own coordinates too.

    ``margins`` are above, right, below and left of the axes, in pixels. The horizontal axis goes from ``x_from`` to
    ``x_to``, the vertical one from 0 to ``y_to``.
    """

    width: int
    height: int
    margins: tuple[int, int, int, int]
    x_from: float = 0.0
    x_to: float = 1.0
    y_to: float = 1.0

    @property
    def left(self) -> int:
        """Where the horizontal axis begins."""
        return self.margins[3]

    @property
    def right(self) -> int:
        """Where the horizontal axis ends."""
        return self.width - self.margins[1]

    @property
    def floor(self) -> int:
        """The height of 0."""
        return self.height - self.margins[2]

    def x(self, value: float) -> float:
        """The place of a value on the horizontal axis."""
        return round(self.left + (self.right - self.left) * (value - self.x_from) / ((self.x_to - self.x_from) or 1), 1)

    def y(self, value: float) -> float:
        """The place of a value on the vertical axis."""
        return round(self.floor - (self.floor - self.margins[0]) * value / self.y_to, 1)

    def path(self, values: Iterable[tuple[float, float]]) -> str:
        """The SVG path through ``values``; empty where there are none."""
        return " ".join(f"{'L' if i else 'M'}{self.x(a)} {self.y(b)}" for i, (a, b) in enumerate(values))

    def area(self, intervals: Sequence[tuple[float, float, float]]) -> str:
        """The area between the ends of intervals, each (place, low, high); empty where there are fewer than two."""
        if len(intervals) < 2:
            return ""
        upper, lower = [(at, high) for at, _, high in intervals], [(at, low) for at, low, _ in reversed(intervals)]
        return self.path(upper + lower) + " Z"

    def dot(self, at: float, value: float, low: float, high: float, tip: str) -> Dot:
        """A mark at ``value``, with an interval."""
        return Dot(self.x(at), self.y(value), self.y(low), self.y(high), tip)

    def x_marks(self, marks: Iterable[tuple[float, str]]) -> list[Tick]:
        """Ticks of the horizontal axis."""
        return [Tick(self.x(at), text) for at, text in marks]

    def y_marks(self, marks: Iterable[tuple[float, str]]) -> list[Tick]:
        """Ticks of the vertical axis."""
        return [Tick(self.y(at), text) for at, text in marks]


@dataclass(frozen=True, kw_only=True)
class Curve(Frame):
    """A measured curve: its line, the band of its intervals, and its dots."""

    band: str
    line: str
    dots: Sequence[Dot]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
