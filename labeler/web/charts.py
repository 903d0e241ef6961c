"""Geometry of the learning curve, so that a template can draw it as plain SVG: no script, no inline style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attune.labeler.views.quality import Point, Quality

TOP, BOTTOM, LEFT, RIGHT = 16, 34, 38, 14


@dataclass(frozen=True)
class Dot:
    """A run on the chart, with its interval from ``low`` to ``high`` and what to say about it."""

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


@dataclass(frozen=True)
class Chart:
    """One drawing; texts are in SVG's own coordinates, ``width`` by ``height``."""

    width: int
    height: int
    band: str
    line: str
    indication: str
    dots: Sequence[Dot]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]

    @property
    def left(self) -> int:
        """Where the horizontal axis begins."""
        return LEFT

    @property
    def right(self) -> int:
        """Where the horizontal axis ends."""
        return self.width - RIGHT

    @property
    def floor(self) -> int:
        """The height of 0."""
        return self.height - BOTTOM


def learning_curve(points: Sequence[Point]) -> list[Chart]:
    """The curve for a wide and for a narrow page; none where there is nothing to see.

    An audited figure is a dot with its interval, but a single indication would be a line of no length.
    """
    if not any(point.audit.known for point in points) and sum(point.indication.known for point in points) < 2:
        return []
    return [_draw(points, 760, 300), _draw(points, 340, 240)]


def _draw(points: Sequence[Point], width: int, height: int) -> Chart:
    most = max(point.answers for point in points) or 1

    def x(answers: float) -> float:
        return round(LEFT + (width - LEFT - RIGHT) * answers / most, 1)

    def y(value: float) -> float:
        return round(height - BOTTOM - (height - TOP - BOTTOM) * value, 1)

    known = [point for point in points if point.audit.known]
    naive = [(x(p.answers), y(p.indication.value)) for p in points if p.indication.value is not None]
    return Chart(
        width,
        height,
        band=_band(known, x, y),
        line=path([(x(p.answers), y(p.audit.value)) for p in known if p.audit.value is not None]),
        indication=path(naive),
        dots=[_dot(p, x, y) for p in known],
        x_ticks=[Tick(x(at), str(at)) for at in _steps(most, 5 if width > 500 else 3)],
        y_ticks=[Tick(y(at), text) for at, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))],
    )


def _dot(point: Point, x: Callable[[float], float], y: Callable[[float], float]) -> Dot:
    value = point.audit.value or 0.0
    low = value if point.audit.lo is None else point.audit.lo
    high = value if point.audit.hi is None else point.audit.hi
    return Dot(x(point.answers), y(value), y(low), y(high), tip(point))


def _band(known: Sequence[Point], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    held = [
        (x(p.answers), y(p.audit.lo), y(p.audit.hi)) for p in known if p.audit.lo is not None and p.audit.hi is not None
    ]
    if len(held) < 2:
        return ""
    upper, lower = [(a, hi) for a, _, hi in held], [(a, lo) for a, lo, _ in reversed(held)]
    return path(upper + lower) + " Z"


def path(places: Sequence[tuple[float, float]]) -> str:
    """The SVG path through ``places``."""
    return " ".join(f"{'M' if i == 0 else 'L'}{a} {b}" for i, (a, b) in enumerate(places))


def _steps(most: int, count: int) -> list[int]:
    """Round numbers from 0 to at most ``most``."""
    size = 1
    for size in (factor * 10**power for power in range(9) for factor in (1, 2, 5)):
        if most / size <= count:
            break
    return list(range(0, most + 1, size))


def tip(point: Point) -> str:
    """The text of a run's mark on the chart."""
    return f"{point.answers} answers: {figure(point.audit)} (run {point.run})"


def figure(quality: Quality) -> str:
    """A metric with its interval in words: ``0.81 (0.72 to 0.88)``."""
    if quality.value is None:
        return "unknown"
    if quality.lo is None or quality.hi is None:
        return f"{quality.value:.2f}"
    if quality.early:
        return f"{quality.lo:.2f} to {quality.hi:.2f} (early)"
    return f"{quality.value:.2f} ({quality.lo:.2f} to {quality.hi:.2f})"
