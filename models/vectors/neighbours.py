"""Exact nearest neighbours in the pool: what a person browses before anything was learned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.query.context import highest
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray


def nearest(
    pool: Pool, query: FloatArray, size: int, among: npt.NDArray[np.bool_], seed: int = 0
) -> tuple[IntArray, FloatArray]:
    """The ``size`` assets most like ``query`` (d,), most like it first: pool indices (m,) and cosines (m,) float32.

    ``among`` (N,) bool says which may be found. One product with every vector: exact, and 30 ms for 200,000 of them.
    Raises DataError for a query of another dimension.
    """
    if query.shape != (pool.dim,):
        raise DataError(
            f"The query has the shape {query.shape}, but the pool's vectors have ({pool.dim},). Use a vector of "
            "the pool's encoder."
        )
    scores = pool.logits(query[None], np.zeros(1, dtype=np.float32))[:, 0]
    scores[~among] = -np.inf
    top_rows = highest(scores, min(size, int(among.sum())), np.random.default_rng(seed))
    return top_rows, scores[top_rows]
