"""The learning curve: average precision by answers, from audit answers and as cross-validation indicates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.views.quality import Point, figure
from attune.labeler.web.svg.frame import Curve, Dot, Frame

MARGINS = (16, 14, 34, 38)


@dataclass(frozen=True, kw_only=True)
class LearningCurve(Curve):
    """``indication`` is the path of the figures from cross-validation."""

    indication: str


def learning_curve(points: Sequence[Point]) -> list[LearningCurve]:
    """The curve for a wide and for a narrow page; none where there is nothing to see.

    An audited figure is a dot with its interval, but a single indication would be a line of no length.
    """
    if not any(point.audit.known for point in points) and sum(point.indication.known for point in points) < 2:
        return []
    most = max(point.answers for point in points) or 1
    return [
        _draw(points, Frame(width=width, height=height, margins=MARGINS, x_to=most), _steps(most, marks))
        for width, height, marks in ((760, 300, 5), (340, 240, 3))
    ]


def _draw(points: Sequence[Point], frame: Frame, steps: Sequence[int]) -> LearningCurve:
    known = [point for point in points if point.audit.known]
    ends = [(p.answers, p.audit.lo, p.audit.hi) for p in known]
    return LearningCurve(
        **vars(frame),
        band=frame.area([(at, lo, hi) for at, lo, hi in ends if lo is not None and hi is not None]),
        line=frame.path([(p.answers, p.audit.value) for p in known if p.audit.value is not None]),
        indication=frame.path([(p.answers, p.indication.value) for p in points if p.indication.value is not None]),
        dots=[_dot(point, frame) for point in known],
        x_ticks=frame.x_marks((at, str(at)) for at in steps),
        y_ticks=frame.y_marks([(0.0, "0"), (0.5, "0.5"), (1.0, "1")]),
    )


def _dot(point: Point, frame: Frame) -> Dot:
    value = point.audit.value or 0.0
    low = value if point.audit.lo is None else point.audit.lo
    high = value if point.audit.hi is None else point.audit.hi
    run = f" (run {point.run})" if point.audit.counted else ""  # an expert's points have numbers of their own
    tip = f"{point.answers} answers: {figure(point.audit)}{run}"
    return frame.dot(point.answers, value, low, high, tip)


def _steps(most: int, count: int) -> list[int]:
    """Round numbers from 0 to at most ``most``."""
    size = 1
    for size in (factor * 10**power for power in range(9) for factor in (1, 2, 5)):
        if most / size <= count:
            break
    return list(range(0, most + 1, size))
