"""Geometry of the review's curves on the unit square, and of a difference around 0, for templates to draw as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.views.quality import Quality
from attune.labeler.web.charts import Dot, Tick, path
from attune.models.evaluation.audit_curves import Band

TOP, BOTTOM, LEFT, RIGHT = 30, 44, 36, 14
SIZES = (("wide", 540, 400), ("narrow", 340, 300))
DIFFERENCES = (0.1, 0.2, 0.5, 1.0)  # half widths of a difference's scale, the smallest that holds it is taken


@dataclass(frozen=True)
class Plot:
    """One drawing from 0 to 1 on both axes; ``other`` is a second curve, ``diagonal`` where the first one should be."""

    kind: str
    width: int
    height: int
    title: str
    x_title: str
    y_title: str
    band: str
    line: str
    other: str
    diagonal: str
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


def precision_recall(band: Band | None, other: Band | None = None) -> list[Plot]:
    """Precision against recall for a wide and for a narrow page; none where there is nothing to draw."""
    words = "Precision by recall. The table below has the same values."
    return [] if band is None else [_draw(*size, words, ("recall", "precision"), band, other) for size in SIZES]


def reliability(band: Band | None) -> list[Plot]:
    """What a probability turned out to mean, for a wide and for a narrow page."""
    words = "Observed share by predicted probability. The table below has the same values."
    axes = ("predicted probability", "observed share")
    return [] if band is None else [_draw(*size, words, axes, band, None, True) for size in SIZES]


def _draw(
    kind: str,
    width: int,
    height: int,
    title: str,
    axes: tuple[str, str],
    band: Band,
    other: Band | None = None,
    ideal: bool = False,
) -> Plot:
    def x(value: float) -> float:
        return round(LEFT + (width - LEFT - RIGHT) * float(value), 1)

    def y(value: float) -> float:
        return round(height - BOTTOM - (height - TOP - BOTTOM) * float(value), 1)

    def curve(at: Sequence[float], value: Sequence[float]) -> list[tuple[float, float]]:
        return [(x(a), y(v)) for a, v in zip(at, value, strict=True)]

    at, value, lo, hi = (part.tolist() for part in (band.at, band.value, band.lo, band.hi))
    around = curve(at, hi) + curve(at, lo)[::-1]
    marks = [
        Dot(x(a), y(v), y(low), y(high), f"{axes[0]} {a:.2f}: {axes[1]} {v:.2f} ({low:.2f} to {high:.2f})")
        for a, v, low, high in zip(at, value, lo, hi, strict=True)
    ]
    steps = ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1"))
    return Plot(
        kind, width, height, title, axes[0], axes[1],
        band=f"{path(around)} Z" if len(at) > 1 else "",
        line=path(curve(at, value)),
        other=path(curve(other.at.tolist(), other.value.tolist())) if other is not None else "",
        diagonal=path([(x(0), y(0)), (x(1), y(1))]) if ideal else "",
        dots=marks,
        x_ticks=[Tick(x(at_), text) for at_, text in steps],
        y_ticks=[Tick(y(at_), text) for at_, text in steps],
    )  # fmt: skip


@dataclass(frozen=True)
class Balance:
    """A difference on a scale from ``-reach`` to ``reach``: places in percent from the left, 0 in the middle."""

    reach: float
    low: float
    width: float
    value: float


def balance(difference: Quality | None) -> Balance | None:
    """The geometry of a paired difference; None where there is none."""
    if difference is None or difference.value is None or difference.lo is None or difference.hi is None:
        return None
    most = max(abs(difference.lo), abs(difference.hi))
    reach = next((half for half in DIFFERENCES if most <= half), DIFFERENCES[-1])

    def place(value: float) -> float:
        return round(50 + 50 * value / reach, 2)

    low = place(difference.lo)
    return Balance(reach, low, round(place(difference.hi) - low, 2), place(difference.value))
