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

    From three sizes on: ``exponent`` of the pool's size, the slope of a line of least squares through the medians,
    log(seconds) over log(size), with its 95 % interval ``lo`` to ``hi`` (Student's, sizes - 2: runs at one size say
    nothing of how far the sizes lie from a line); 0 does not grow, 1 grows as the pool, 2 is quadratic. With two
    sizes: the ``ratio`` of the medians, for ``times`` as many images. ``n``: all runs. None for one size, or where a
    run is too short for the clock.
    """
    runs = {size: list(held) for size, held in sorted(seconds.items()) if held}
    if len(runs) < 2 or min(map(min, runs.values())) < SHORT:
        return None
    n = sum(map(len, runs.values()))
    middle = [float(np.median(held)) for held in runs.values()]
    if len(runs) < FEWEST:
        small, large = runs
        return {"ratio": middle[1] / middle[0], "times": large / small, "n": n}
    line = linregress(np.log(list(runs)), np.log(middle))
    half = float(student.ppf(0.975, len(runs) - 2) * line.stderr)
    return {"exponent": float(line.slope), "lo": float(line.slope) - half, "hi": float(line.slope) + half, "n": n}


def shown(figure: Figure | None) -> str:
    """For a table: the exponent with its interval, or the ratio."""
    if figure is None:
        return "-"
    if "ratio" in figure:
        return f"x {figure['ratio']:.2f} for x {figure['times']:.3g}"
    return f"{figure['exponent']:.2f} [{figure['lo']:.2f}, {figure['hi']:.2f}]"
