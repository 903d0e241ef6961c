"""The review's curves on the unit square, from audit answers, and a paired difference around 0."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.views.quality import Quality
from attune.labeler.web.svg.frame import Curve, Frame
from attune.models.evaluation.audit_curves import Band

MARGINS = (30, 14, 44, 36)
SIZES = (("wide", 540, 400), ("narrow", 340, 300))
MARKS = ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1"))
DIFFERENCES = (0.1, 0.2, 0.5, 1.0)  # half widths of a difference's scale, the smallest that holds it is taken


@dataclass(frozen=True, kw_only=True)
class AuditPlot(Curve):
    """One drawing from 0 to 1 on both axes; ``other`` is a second curve, ``diagonal`` where the first one should be."""

    kind: str
    title: str
    x_title: str
    y_title: str
    other: str
    diagonal: str


def precision_recall(band: Band | None, other: Band | None = None) -> list[AuditPlot]:
    """Precision against recall for a wide and for a narrow page; none where there is nothing to draw."""
    words = "Precision by recall. The table below has the same values."
    return _draw(words, ("recall", "precision"), band, other)


def reliability(band: Band | None) -> list[AuditPlot]:
    """What a probability turned out to mean, for a wide and for a narrow page."""
    words = "Observed share by predicted probability. The table below has the same values."
    return _draw(words, ("predicted probability", "observed share"), band, ideal=True)


def _draw(
    title: str, axes: tuple[str, str], band: Band | None, other: Band | None = None, ideal: bool = False
) -> list[AuditPlot]:
    if band is None:
        return []
    rows = list(zip(*(part.tolist() for part in (band.at, band.value, band.lo, band.hi)), strict=True))
    second = [] if other is None else list(zip(other.at.tolist(), other.value.tolist(), strict=True))
    frames = [(kind, Frame(width=width, height=height, margins=MARGINS)) for kind, width, height in SIZES]
    return [
        AuditPlot(
            **vars(frame),
            kind=kind,
            title=title,
            x_title=axes[0],
            y_title=axes[1],
            band=frame.area([(at, lo, hi) for at, _, lo, hi in rows]),
            line=frame.path((at, value) for at, value, _, _ in rows),
            other=frame.path(second),
            diagonal=frame.path([(0, 0), (1, 1)] if ideal else []),
            dots=[frame.dot(at, value, lo, hi, _tip(axes, at, value, lo, hi)) for at, value, lo, hi in rows],
            x_ticks=frame.x_marks(MARKS),
            y_ticks=frame.y_marks(MARKS),
        )
        for kind, frame in frames
    ]


def _tip(axes: tuple[str, str], at: float, value: float, low: float, high: float) -> str:
    return f"{axes[0]} {at:.2f}: {axes[1]} {value:.2f} ({low:.2f} to {high:.2f})"


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
