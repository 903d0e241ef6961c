"""How good the probe is, as far as the audit can tell, and how that came about over the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Run
from attune.models.evaluation.metrics import FIRST, Metric

AUDIT = "average_precision"
INDICATION = "cross_validated"
POINTS = 60


@dataclass(frozen=True)
class Quality:
    """One figure in [0, 1] with its interval, or the reason why there is none; ``n`` answers stand behind it.

    ``early``: from few answers, so that only its wide interval is worth showing. ``counted``: whether the viewer may
    read ``n``, or what is worked out from it in words.
    """

    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int = 0
    reason: str = ""
    early: bool = False
    counted: bool = True

    @property
    def why(self) -> str:
        """Why there is no value, as a sentence."""
        if not self.reason:
            return "No probe has been trained yet."
        if not self.counted:
            return f"No quality estimate yet. It takes at least {FIRST} audit answers."
        if self.n >= FIRST:
            return f"No quality estimate yet: {self.reason}."
        return f"No quality estimate yet. It appears after {FIRST} audit answers ({self.n} so far)."

    @property
    def known(self) -> bool:
        """Whether there is a figure to show."""
        return self.value is not None


@dataclass(frozen=True)
class Point:
    """One run on the learning curve: ``audit`` is the honest figure, ``indication`` the naive one."""

    run: int
    answers: int
    finished_at: datetime
    audit: Quality
    indication: Quality


def told(viewer: Viewer, quality: Quality) -> Quality:
    """``quality`` as ``viewer`` may read it: an expert without the number of answers, which tells audits apart."""
    return quality if viewer.manages else replace(quality, n=0, counted=False)


def figure(quality: Quality) -> str:
    """A metric with its interval in words: ``0.81 (0.72 to 0.88)``."""
    if quality.value is None:
        return "unknown"
    if quality.lo is None or quality.hi is None:
        return f"{quality.value:.2f}"
    if quality.early:
        return f"{quality.lo:.2f} to {quality.hi:.2f} (early)"
    return f"{quality.value:.2f} ({quality.lo:.2f} to {quality.hi:.2f})"


def read(metrics: Mapping[str, Any], key: str = AUDIT) -> Quality:
    """The figure under ``key`` of a run's metrics."""
    return of_json(metrics.get(key))


def of_json(metric: Mapping[str, Any] | None) -> Quality:
    """The figure that ``Metric.to_dict`` wrote, if one did."""
    if not metric:
        return Quality(reason="none was measured")
    return of(Metric.from_dict(metric))


def of(metric: Metric) -> Quality:
    """A metric as pages show it."""
    return Quality(metric.value, metric.lo, metric.hi, metric.n, metric.reason, metric.early)


def curve(session: Session, attribute_id: int, points: int = POINTS, viewer: Viewer | None = None) -> list[Point]:
    """The learning curve: at most ``points`` runs, the last one of each count of answers, evenly thinned.

    Where answers were excluded or deleted, the runs that had learned from more of them are left out, so that the curve
    ends with the newest run. To a ``viewer`` who does not manage, or who labels, the runs that
    experts are shown; to experts with a number of their own, and without what moves with the number of labels.
    """
    newest: dict[int, int] = {}
    rows = session.execute(
        select(Run.number, Run.answers).where(Run.attribute_id == attribute_id).order_by(Run.number.desc())
    )
    fewest: int | None = None
    for number, answers in rows:
        if fewest is None or answers < fewest:
            newest[answers] = number
            fewest = answers
    if viewer is not None and (not viewer.manages or visible_runs.labelled(session, [attribute_id], viewer)):
        visible = set(visible_runs.to_experts(session, [attribute_id]).get(attribute_id, ()))
        newest = {answers: number for answers, number in newest.items() if number in visible}
    numbers = _thinned(sorted(newest.values()), points)
    runs = session.execute(
        select(Run.number, Run.answers, Run.finished_at, Run.metrics)
        .where(Run.attribute_id == attribute_id, Run.number.in_(numbers))
        .order_by(Run.number)
    )
    points_shown = [Point(n, a, at, read(metrics), read(metrics, INDICATION)) for n, a, at, metrics in runs]
    if viewer is None or viewer.manages:
        return points_shown
    return [
        replace(point, run=place, audit=told(viewer, point.audit), indication=Quality(counted=False))
        for place, point in enumerate(points_shown, 1)
    ]


def _thinned(numbers: Sequence[int], points: int) -> list[int]:
    if len(numbers) <= points:
        return list(numbers)
    kept = np.unique(np.linspace(0, len(numbers) - 1, points).round().astype(int))
    return [numbers[int(i)] for i in kept]
