"""Whether something grows: a line through the second half of a series, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

SECONDS = 3600.0
FEWEST, MOST_ALIKE = 8, 0.99


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
    """The least-squares slope of ``values`` over ``at`` (seconds, evenly apart), both (n,), in the later half of the
    time. None for fewer than 8 samples there.

    A sample is like the one before it, so what is left beside the line counts as a first-order autoregression: the
    interval is Student's at n (1 - r) / (1 + r) samples, r without its bias beside a line (Marriott and Pope 1954).
    """
    if len(at) == 0:
        return None
    t, y = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    late = t >= (t[0] + t[-1]) / 2
    t, y = t[late] / SECONDS, y[late]
    n = len(t)
    if n < FEWEST:
        return None
    x = t - t.mean()
    slope = float(x @ y / (x @ x))
    left = y - y.mean() - slope * x
    square = float(left @ left)
    r = float(left[1:] @ left[:-1]) / square if square else 0.0
    r = min(max(r + (1 + 4 * r) / n, 0.0), MOST_ALIKE)
    like = (1 + r) / (1 - r)
    half = float(student.ppf(0.975, max(n / like - 2, 1)) * np.sqrt(square / (n - 2) / (x @ x) * like))
    return Slope(slope, slope - half, slope + half, n)
