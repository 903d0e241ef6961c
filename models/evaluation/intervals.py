"""Intervals by resampling whole titles, closed where a figure can only lie between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 1000
PART = 128  # draws at a time: a multiple of 16, as BLAS takes rows


def title_draws(title_ids: Sequence[str], generator: np.random.Generator, draws: int = DRAWS) -> NDArray[np.float64]:
    """How often each row is in each bootstrap sample of titles, float64 (draws, n).

    A title's images come and go together: they are not independent (cluster bootstrap, Davison and Hinkley 1997, 3.8).
    """
    out = np.empty((draws, len(title_ids)), order="F")
    start = 0
    for some in draws_in_parts(title_ids, generator, draws):
        out[start : start + len(some)] = some
        start += len(some)
    return out


def draws_in_parts(
    title_ids: Sequence[str], generator: np.random.Generator, draws: int = DRAWS, first: int = PART
) -> Iterator[NDArray[np.float64]]:
    """The same numbers as ``title_draws``, ``PART`` draws at a time, the ``first`` time so many.

    All 1,000 draws of 36,000 answers take 300 MB. Both are in Fortran's order, which decides how BLAS sums, and so the
    last bits of a figure.
    """
    if not len(title_ids):
        yield np.empty((draws, 0))
        return
    _, row = np.unique(np.asarray(title_ids, dtype=np.str_), return_inverse=True)
    titles, row = int(row.max()) + 1, row.reshape(-1)
    even = np.full(titles, 1.0 / titles)
    done, some = 0, min(first, draws)
    while some:
        counts = generator.multinomial(titles, even, size=some).astype(np.float64)
        yield np.asfortranarray(counts[:, row])
        done, some = done + some, min(PART, draws - done - some)


def percentile_interval(sample: NDArray[np.float64], value: float, level: float = LEVEL) -> tuple[float, float]:
    """The middle ``level`` of a sample of the figure, widened to hold the figure itself; NaN draws are left out."""
    defined = sample[np.isfinite(sample)]
    if not len(defined):
        return value, value
    lo, hi = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return min(float(lo), value), max(float(hi), value)


def share_interval(count: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Jeffreys' interval of a share of ``count`` in ``n`` (Brown, Cai and DasGupta 2001), with 0 and 1 at the ends."""
    from scipy.stats import beta  # takes a second to load, and many who need this module ask for no share

    tail = (1 - level) / 2
    lo = 0.0 if count == 0 else float(beta.ppf(tail, count + 0.5, n - count + 0.5))
    hi = 1.0 if count == n else float(beta.ppf(1 - tail, count + 0.5, n - count + 0.5))
    return min(lo, count / max(n, 1)), max(hi, count / max(n, 1))
