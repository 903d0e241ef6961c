"""Figures that say how sure they are: a value, an interval, the number behind it, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.evaluation.intervals import LEVEL
from attune.models.text import plural

# Fewer positives (or negatives) than this, and an interval would be a guess about a guess.
LEAST = 3
# From ``FULL`` audit answers on there is a figure at the usual level where each class has ``LEAST``. Fewer, down to
# ``FIRST``, give an early one, with a wider interval and whether positives were met or not: a figure that is shown only
# where they were is shown where luck was good (docs/explanation/evaluation.md has what each of these holds).
FULL, FIRST = 30, 10
EARLY_LEVEL = 0.99
ENTRIES = 1 << 20  # of draws by answers at once: all draws of 12,000 answers at once would take a gigabyte


@dataclass(frozen=True)
class Metric:
    """One figure with its interval, or an honest None with the ``reason``.

    ``lo`` and ``hi`` bound it at ``level`` (0.95); ``n`` assets were looked at, ``positives`` of them of the class in
    question (None where that means nothing); ``method`` says how it was computed and ``biased`` that it cannot be
    trusted as a measure. Raises DataError where a value lies outside its interval.
    """

    name: str
    value: float | None
    lo: float | None
    hi: float | None
    n: int
    method: str
    positives: int | None = None
    level: float = LEVEL
    biased: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        if self.value is None:
            if not self.reason or self.lo is not None or self.hi is not None:
                raise DataError(f"{self.name} has no value. Expected a reason and no interval, got {self!r}.")
        elif self.lo is None or self.hi is None:
            if self.lo is not self.hi:
                raise DataError(f"{self.name} has only one end of its interval: {self!r}. Give both ends or neither.")
        elif not self.lo <= self.value <= self.hi:
            raise DataError(f"{self.name} is {self.value}, outside its interval from {self.lo} to {self.hi}.")

    @property
    def width(self) -> float:
        """The interval's width; infinite where there is none."""
        return math.inf if self.lo is None or self.hi is None else self.hi - self.lo

    @property
    def early(self) -> bool:
        """Whether this is a first figure from few answers, its interval at ``EARLY_LEVEL``."""
        return self.value is not None and self.level >= EARLY_LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, one key per field."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Metric:
        """The metric that ``to_dict`` wrote; unknown keys of a later version are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: unknown ({self.reason})"
        interval = "" if self.lo is None else f" [{self.lo:.3f}, {self.hi:.3f}]"
        return f"{self.name} {self.value:.3f}{interval} (n = {self.n})"


def is_early(data: Mapping[str, Any]) -> bool:
    """``Metric.early`` of one that ``to_dict`` wrote; where the level was left out, by its number of answers."""
    if data.get("value") is None or data.get("lo") is None or data.get("biased"):
        return False
    return float(data.get("level") or (EARLY_LEVEL if (data.get("n") or 0) < FULL else LEVEL)) >= EARLY_LEVEL


def in_words(data: Mapping[str, Any]) -> str:
    """A value with its interval; of an early figure the interval alone, because its middle is too high on average."""
    if data.get("value") is None:
        return "unknown"
    if data.get("lo") is None:
        return f"{data['value']:.3f}"
    interval = f"[{data['lo']:.3f}, {data['hi']:.3f}]"
    return f"{interval} (early, 99 %)" if is_early(data) else f"{data['value']:.3f} {interval}"


def unknown(
    name: str, n: int, method: str, reason: str, *, positives: int | None = None, biased: bool = False
) -> Metric:
    """A metric that says why it has no value."""
    return Metric(name, None, None, None, n, method, positives=positives, reason=reason, biased=biased)


def too_few(y: NDArray[np.float64]) -> str:
    """Why nothing can be said of a class from truths ``y`` (n,), 0 or 1; empty where it can."""
    positives = int(y.sum())
    if min(positives, len(y) - positives) >= LEAST:
        return ""
    return (
        f"{plural(positives, 'positive answer')} and {len(y) - positives} negative, at least {LEAST} of each are needed"
    )


def average_precision(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Weighted average precision, as scikit-learn's: tied scores are one threshold.

    ``y`` (n,) 0 or 1 or a share in between, ``score`` (n,), ``weight`` (n,) or None; NaN where nothing is positive.
    """
    y = np.asarray(y, dtype=np.float64)
    weights = np.ones((1, len(y))) if weight is None else np.asarray(weight, dtype=np.float64).reshape(1, -1)
    return float(average_precisions(y, np.asarray(score, dtype=np.float64), weights)[0])


def average_precisions(
    y: NDArray[np.float64], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``average_precision`` under each row of ``weights`` (draws, n), float64 (draws,)."""
    at_once = max(1, ENTRIES // max(len(y), 1))
    parts = (weights[start : start + at_once] for start in range(0, max(len(weights), 1), at_once))
    return np.concatenate([ranked_precision(part * y, part, score) for part in parts])


def ranked_precision(
    positives: NDArray[np.float64], totals: NDArray[np.float64], score: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average precision of draws that hold ``positives`` of ``totals`` (draws, n) at each ``score`` (n,), (draws,)."""
    if not len(score):
        return np.full(len(totals), np.nan)
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    positives_above, total_above = (np.cumsum(np.take(held, order, axis=1), axis=1) for held in (positives, totals))
    if len(last) < len(score):
        positives_above, total_above = positives_above[:, last], total_above[:, last]
    with np.errstate(invalid="ignore", divide="ignore"):
        gained = np.diff(positives_above, axis=1, prepend=0.0)
        precision = np.where(total_above > 0, positives_above / total_above, 0.0)
        # A perfect ranking's sum can round to just above 1.
        return np.asarray(np.minimum((gained * precision).sum(axis=1) / positives_above[:, -1], 1.0), dtype=np.float64)


def log_odds(probability: ArrayLike) -> NDArray[np.float64]:
    """log(p / (1 - p)), finite for 0 and 1 too, float64 of the same shape."""
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)
