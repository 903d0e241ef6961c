"""How many of a run's findings are chance: q values (Benjamini and Hochberg, JRSS B 57, 1995)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def q_values(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The q value of each of ``p`` (m,): the smallest false discovery rate at which it counts as found.

    NaN marks a question that could not be answered: it stays NaN and is not counted.
    """
    values = np.asarray(p, dtype=np.float64).reshape(-1)
    found = np.full(len(values), np.nan)
    asked = np.flatnonzero(np.isfinite(values))
    if not len(asked):
        return found
    order = asked[np.argsort(-values[asked], kind="stable")]
    ranks = np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.minimum.accumulate(values[order] * len(order) / ranks), 1.0)
    return found
