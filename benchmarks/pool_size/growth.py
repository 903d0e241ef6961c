"""How time grows with the size of the pool: its exponent, from runs at several sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import linregress
from scipy.stats import t as student

SHORT = 0.002  # seconds of the processor, below which the clock says little
FEWEST = 3  # sizes that a line needs
Figure = dict[str, float]


def growth(seconds: Mapping[int, Sequence[float]]) -> Figure | None:
    """What the runs at each size (images: seconds of the processor) say of growth.

    From three sizes on: ``exponent`` of the pool's size, the slope of a line of least squares through log(seconds) over
    log(size) of all ``n`` runs, with its 95 % interval ``lo`` to ``hi`` (Student's, n - 2); 0 does not grow, 1 grows as
    the pool, 2 is quadratic. The interval holds the noise of the runs and how far the sizes lie from one line. With two
    sizes: the ``ratio`` of the medians, for ``times`` as many images. None for one size, or where a run is too short
    for the clock.
    """
    runs = {size: list(held) for size, held in sorted(seconds.items()) if held}
    if len(runs) < 2 or min(map(min, runs.values())) < SHORT:
        return None
    n = sum(map(len, runs.values()))
    if len(runs) < FEWEST:
        (small, few), (large, many) = runs.items()
        return {"ratio": float(np.median(many) / np.median(few)), "times": large / small, "n": n}
    sizes = np.log([size for size, held in runs.items() for _ in held])
    line = linregress(sizes, np.log([one for held in runs.values() for one in held]))
    half = float(student.ppf(0.975, n - 2) * line.stderr)
    return {"exponent": float(line.slope), "lo": float(line.slope) - half, "hi": float(line.slope) + half, "n": n}


def shown(figure: Figure | None) -> str:
    """For a table: the exponent with its interval, or the ratio."""
    if figure is None:
        return "-"
    if "ratio" in figure:
        return f"x {figure['ratio']:.2f} for x {figure['times']:.3g}"
    return f"{figure['exponent']:.2f} [{figure['lo']:.2f}, {figure['hi']:.2f}]"
