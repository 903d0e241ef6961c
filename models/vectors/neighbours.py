"""Exact nearest neighbours in the pool, and its clusters: what a person browses before anything was learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.query.context import highest
from attune.models.query.strategies.spread import clustered
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

SAMPLE = 20_000  # vectors that the centres are fitted on; assigning the rest takes one pass over the mapped blocks
SEED = 6  # of the stream of random numbers that belongs to clusters


@dataclass(frozen=True, eq=False)
class Cluster:
    """A part of the pool: how many assets it holds, and the nearest to its centre, nearest first.

    ``members`` (m,) pool indices, ``cosines`` (m,) float32 to the centre.
    """

    size: int
    members: IntArray
    cosines: FloatArray


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


def clusters(pool: Pool, k: int, members: int, among: npt.NDArray[np.bool_], seed: int = 0) -> list[Cluster]:
    """``k`` clusters of the assets that ``among`` (N,) bool lets in, largest first, each with its ``members`` nearest.

    k-means on a sample of at most ``SAMPLE``, then every asset goes to its nearest centre. Fewer clusters where the
    pool has fewer distinct vectors.
    """
    rng = np.random.default_rng([seed, SEED])
    index = pool.sample(SAMPLE, rng)
    index = index[among[index]]
    if not len(index):
        return []
    centres = clustered(pool.rows(index), min(k, len(index)), rng).cluster_centers_.astype(np.float32)
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    centres /= np.where(lengths > 0, lengths, 1)
    cosines = pool.logits(centres, np.zeros(len(centres), dtype=np.float32))
    owner = np.where(among, cosines.argmax(axis=1), -1)
    parts = []
    for number in range(len(centres)):
        mine = np.flatnonzero(owner == number)
        if len(mine):
            close = cosines[mine, number]
            order = np.argsort(-close, kind="stable")[:members]
            parts.append(Cluster(len(mine), mine[order], close[order]))
    return sorted(parts, key=lambda one: -one.size)
