"""Figures of repeated measurements with their 95 % interval (bootstrap over the repeats) and n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attune.models.evaluation.intervals import percentile_interval

DRAWS = 2000
Figure = dict[str, Any]


def quantile(sample: Sequence[float], q: float, seed: int = 0) -> Figure:
    """The quantile ``q`` of a sample, in its own unit."""
    return _figure(np.asarray(sample, dtype=np.float64)[:, None], lambda rows: np.quantile(rows[..., 0], q, -1), seed)


def ratio(above: Sequence[float], below: Sequence[float], seed: int = 0) -> Figure:
    """The median of ``above[i] / below[i]``: the two were measured in turns, so each pair met the same machine."""
    pairs = np.asarray(above, dtype=np.float64) / np.asarray(below, dtype=np.float64)
    return _figure(pairs[:, None], lambda rows: np.median(rows[..., 0], -1), seed)


def shown(figure: Figure, unit: str = "") -> str:
    """For a table: value and interval with three digits."""
    return f"{figure['value']:,.3g}{unit} [{figure['lo']:,.3g}, {figure['hi']:,.3g}]"


def _figure(rows: NDArray[np.float64], of: Callable[[NDArray[np.float64]], Any], seed: int) -> Figure:
    rng, n = np.random.default_rng(seed), len(rows)
    value = float(of(rows))
    draws = of(rows[rng.integers(n, size=(DRAWS, n))])
    lo, hi = percentile_interval(np.asarray(draws), value)
    return {"value": value, "lo": lo, "hi": hi, "n": n}
