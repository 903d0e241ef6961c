"""Images that are unlike all others: far from their nearest in a random sample of the pool.

A sample is enough to tell what lies alone (Sugiyama and Borgwardt, NeurIPS 2013), and the work grows with the number of
images, not with its square. Rare is not wrong: a person decides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

SAMPLE = 2_000  # images that each is compared with
NEAREST = 5  # the mean cosine to so many of them
BLOCK = 4_096
LEAST = 20  # images: among fewer, none is an outlier
SEED = 12


def loneliest(
    pool: Pool, among: npt.NDArray[np.bool_], most: int, beyond: float = 1.5, seed: int = 0
) -> tuple[IntArray, FloatArray]:
    """At most ``most`` pool indices (m,), the loneliest first, and their mean cosines (m,) to their nearest.

    Only those more than ``beyond`` times the quartiles' distance below the lower quartile (Tukey's fence).
    """
    index = np.flatnonzero(among).astype(np.intp)
    if len(index) < LEAST:
        return index[:0], np.zeros(0, dtype=np.float32)
    rng = np.random.default_rng([seed, SEED])
    drawn = np.sort(rng.choice(index, min(SAMPLE, len(index)), replace=False, shuffle=False))
    sample = pool.rows(drawn)
    near = np.empty(len(index), dtype=np.float32)
    for start in range(0, len(index), BLOCK):
        mine = index[start : start + BLOCK]
        products = pool.rows(mine) @ sample.T
        products[mine[:, None] == drawn] = -1.0  # itself
        near[start : start + len(mine)] = np.partition(products, -NEAREST, axis=1)[:, -NEAREST:].mean(axis=1)
    low, high = np.quantile(near, [0.25, 0.75])
    order = np.argsort(near, kind="stable")[:most]
    order = order[near[order] < low - beyond * (high - low)]
    return index[order], near[order]
