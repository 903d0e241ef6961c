"""Whether something grows: a line through the second half of a series, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SECONDS = 3600.0
Z = 1.959964  # of 95 %
FEWEST = 8


@dataclass(frozen=True)
class Slope:
    """Growth an hour with its 95 % interval, from ``n`` samples."""

    an_hour: float
    lo: float
    hi: float
    n: int

    @property
    def grows(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.lo > 0


def second_half(at: Sequence[float], values: Sequence[float]) -> Slope | None:
    """The least-squares slope of ``values`` over ``at`` (seconds), both (n,), in the later half of the time.

    A sample is like the one before it, so the interval is Newey and West's (1987), of lag n^(1/3): one from independent
    errors would be too narrow. None for fewer than 8 samples there.
    """
    if not at:
        return None
    t, y = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    late = t >= (t[0] + t[-1]) / 2
    t, y = t[late] / SECONDS, y[late]
    n = len(t)
    if n < FEWEST:
        return None
    x = t - t.mean()
    slope = float(x @ y / (x @ x))
    scores = x * (y - y.mean() - slope * x)
    lags = int(np.ceil(n ** (1 / 3)))
    spread = scores @ scores + 2 * sum(
        (1 - lag / (lags + 1)) * (scores[lag:] @ scores[:-lag]) for lag in range(1, lags + 1)
    )
    error = Z * float(np.sqrt(max(spread, 0.0) * n / (n - 2))) / float(x @ x)
    return Slope(slope, slope - error, slope + error, n)
