"""Intervals by resampling whole titles, closed where a figure can only lie between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 1000

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def title_draws(title_ids: Sequence[str], generator: np.random.Generator, draws: int = DRAWS) -> NDArray[np.float64]:
    """How often each row is in each bootstrap sample of titles, float64 (draws, n).

    A title's images come and go together: they are not independent (cluster bootstrap, Davison and Hinkley 1997, 3.8).
    """
    if not len(title_ids):
        return np.empty((draws, 0))
    _, row = np.unique(np.asarray(title_ids, dtype=np.str_), return_inverse=True)
    titles = int(row.max()) + 1
    counts = generator.multinomial(titles, np.full(titles, 1.0 / titles), size=draws)
    return np.asarray(counts[:, row.reshape(-1)], dtype=np.float64)


def percentile_interval(sample: NDArray[np.float64], value: float, level: float = LEVEL) -> tuple[float, float]:
    """The middle ``level`` of a sample of the figure, widened to hold the figure itself; NaN draws are left out."""
    held = sample[np.isfinite(sample)]
    if not len(held):
        return value, value
    lo, hi = np.quantile(held, [(1 - level) / 2, (1 + level) / 2])
    return min(float(lo), value), max(float(hi), value)
