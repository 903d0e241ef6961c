"""From "at least nine in ten must be right" to the probability at which to draw the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from attune.models.errors import DataError
from attune.models.evaluation.audit_answers import Audited
from attune.models.evaluation.evaluate import METHOD
from attune.models.evaluation.intervals import percentile_interval
from attune.models.evaluation.metrics import Metric, too_few, unknown
from attune.models.evaluation.population import Population
from attune.models.labels.labels import Labels


@dataclass(frozen=True)
class Threshold:
    """The line for one class: ``probability`` in [0, 1], or None with the ``reason``, and what to expect above it.

    ``goal`` says what was asked, such as "precision 0.9"; ``precision`` and ``recall`` are those at the line.
    """

    name: str
    goal: str
    probability: float | None
    precision: Metric
    recall: Metric
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "class": self.name,
            "goal": self.goal,
            "probability": self.probability,
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "reason": self.reason,
        }


FIGURES = ("precision", "recall")


@dataclass(frozen=True)
class Goal:
    """``figure`` (precision or recall) at least ``value``, with the probability ``sure``, given the audit: 0.5 meets
    it on balance, 0.9 leaves a margin.

    Raises DataError for another figure or a number outside (0, 1).
    """

    figure: str
    value: float
    sure: float = 0.8

    def __post_init__(self) -> None:
        if self.figure not in FIGURES:
            raise DataError(f"figure: {self.figure!r} is not a possible goal. Expected precision or recall.")
        for name, number in ((self.figure, self.value), ("sure", self.sure)):
            if not 0.0 < number < 1.0:
                raise DataError(f"{name}: {number:g} is not possible. Expected a number between 0 and 1, such as 0.9.")


def choose_thresholds(
    labels: Labels,
    probabilities: ArrayLike,
    inclusion: ArrayLike,
    classes: Sequence[str],
    goal: Goal,
    *,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> dict[str, Threshold]:
    """A line for each class: the lowest with at least the goal's precision, or the highest with at least its recall.

    The rest as in ``evaluate_audit``; use calibrated probabilities. Where no line meets the goal the threshold says so
    and has no probability.
    """
    audit = Audited.of(labels, (probabilities,), inclusion, classes, (pool,))
    generator = np.random.default_rng(seed)
    return {name: _of_class(name, audit, i, goal, generator) for i, name in enumerate(classes)}


def _of_class(name: str, audit: Audited, column: int, goal: Goal, generator: np.random.Generator) -> Threshold:
    figure, value, sure = goal.figure, goal.value, goal.sure
    goal_text, n = f"{figure} {value:g}", len(audit.majority)
    if reason := too_few(audit.truth(column)):
        return _no_threshold(name, goal_text, n, reason)
    world = audit.populations(column, generator)
    scores, precisions, recalls = _by_cut(world)
    meets_goal = np.quantile(precisions if figure == "precision" else recalls, 1.0 - sure, axis=0) >= value
    if not meets_goal.any():
        best = float(np.quantile(precisions, 1.0 - sure, axis=0).max())
        reason = f"no threshold reaches {goal_text}: the best precision is {best:.2f}; add answers, or lower the goal"
        return _no_threshold(name, goal_text, n, reason)
    cut = int(np.flatnonzero(meets_goal)[-1 if figure == "precision" else 0])
    positives = int(audit.truth(column).sum())
    above = _metric(f"precision:{name}", precisions[:, cut], n, positives)
    return Threshold(
        name, goal_text, float(expit(scores[cut])), above, _metric(f"recall:{name}", recalls[:, cut], n, positives)
    )


def no_threshold_yet(name: str, figure: str, value: float, n: int, reason: str) -> Threshold:
    """No line yet for ``figure`` (precision or recall) of ``value``, and the ``reason``."""
    return _no_threshold(name, f"{figure} {value:g}", n, reason)


def _no_threshold(name: str, goal: str, n: int, reason: str) -> Threshold:
    precision, recall = (unknown(f"{figure}:{name}", n, METHOD, reason) for figure in ("precision", "recall"))
    return Threshold(name, goal, None, precision, recall, reason)


def _metric(name: str, sample: NDArray[np.float64], n: int, positives: int) -> Metric:
    value = float(sample.mean())
    return Metric(name, value, *percentile_interval(sample, value), n, METHOD, positives)


def _by_cut(world: Population) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every score as a line, descending (m,), with precision and recall above it in each draw, (draws, m)."""
    scores = world.scores[:, 0]
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    # Precision from the chances, not from imagined truths: at the first few ranks those are all or nothing.
    positives_above = np.cumsum((world.chances * world.counts.mean(axis=0))[:, order], axis=1)[:, last]
    total_above = np.cumsum(world.counts.mean(axis=0)[order])[last]
    return (
        scores[order][last],
        positives_above / np.maximum(total_above, 1e-12),
        positives_above / positives_above[:, -1:],
    )
