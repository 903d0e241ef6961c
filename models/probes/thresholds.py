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


def choose_thresholds(
    labels: Labels,
    probabilities: ArrayLike,
    inclusion: ArrayLike,
    classes: Sequence[str],
    *,
    precision: float | None = None,
    recall: float | None = None,
    sure: float = 0.8,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> dict[str, Threshold]:
    """A line for each class: the lowest with at least ``precision``, or the highest with at least ``recall``.

    ``sure`` is the probability, given the audit, with which the goal is met: 0.5 meets it on balance, 0.9 leaves a
    margin. The rest as in ``evaluate_audit``; use calibrated probabilities. Where no line meets the goal the threshold
    says so and has no probability. Raises DataError unless exactly one goal between 0 and 1 is given.
    """
    given = {name: value for name, value in (("precision", precision), ("recall", recall)) if value is not None}
    if len(given) != 1 or not all(0.0 < value < 1.0 for value in given.values()) or not 0.0 < sure < 1.0:
        raise DataError(
            f"The goals are {given or 'none'} with certainty {sure}. Expected precision or recall, only one of "
            "them, between 0 and 1, such as precision=0.9."
        )
    (figure, value), *_ = given.items()
    audit = Audited.of(labels, (probabilities,), inclusion, classes, (pool,))
    generator = np.random.default_rng(seed)
    return {name: _of_class(name, audit, i, (figure, value, sure), generator) for i, name in enumerate(classes)}


def _of_class(
    name: str, audit: Audited, column: int, goal: tuple[str, float, float], generator: np.random.Generator
) -> Threshold:
    figure, value, sure = goal
    told, n = f"{figure} {value:g}", len(audit.majority)
    if reason := too_few(audit.truth(column)):
        return _no_line(name, told, n, reason)
    world = audit.imagined(column, generator)
    scores, precisions, recalls = _by_cut(world)
    met = np.quantile(precisions if figure == "precision" else recalls, 1.0 - sure, axis=0) >= value
    if not met.any():
        best = float(np.quantile(precisions, 1.0 - sure, axis=0).max())
        reason = f"no threshold reaches {told}: the best precision is {best:.2f}; add answers, or lower the goal"
        return _no_line(name, told, n, reason)
    cut = int(np.flatnonzero(met)[-1 if figure == "precision" else 0])
    positives = int(audit.truth(column).sum())
    above = _metric(f"precision:{name}", precisions[:, cut], n, positives)
    return Threshold(
        name, told, float(expit(scores[cut])), above, _metric(f"recall:{name}", recalls[:, cut], n, positives)
    )


def waiting(name: str, figure: str, value: float, n: int, reason: str) -> Threshold:
    """No line yet for ``figure`` (precision or recall) of ``value``, and the ``reason``."""
    return _no_line(name, f"{figure} {value:g}", n, reason)


def _no_line(name: str, goal: str, n: int, reason: str) -> Threshold:
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
    found = np.cumsum((world.chances * world.counts.mean(axis=0))[:, order], axis=1)[:, last]
    seen = np.cumsum(world.counts.mean(axis=0)[order])[last]
    return scores[order][last], found / np.maximum(seen, 1e-12), found / found[:, -1:]
