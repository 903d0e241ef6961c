"""Strategies that look at the geometry of the candidates: typical samples, far samples."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from attune.models.query.strategies.base import Picked, Rows, best, checked

NEIGHBOURS = 20


@checked
def typical(
    _: Any, X: Rows, n_instances: int, rng: np.random.Generator, seen: Rows | None = None, **_kw: Any
) -> Picked:
    """The most typical candidate of each cluster that no labelled row ``seen`` (l, d) covers (TypiClust, arXiv
    2202.02794). Typical means close to its nearest neighbours; as many clusters as rows seen and asked for.
    """
    seen = X[:0] if seen is None else seen
    clusters = min(len(X), n_instances + len(seen), max(n_instances, MOST_CLUSTERS))
    model = clustered(X, clusters, rng)
    covered = np.bincount(model.predict(seen), minlength=clusters) if len(seen) else np.zeros(clusters)
    sizes = np.bincount(model.labels_, minlength=clusters)
    typicality = _typicality(X)
    rank = np.lexsort((-sizes, covered))
    first = [_most_typical(model.labels_, cluster, typicality) for cluster in rank if sizes[cluster]]
    indices = np.asarray(first[:n_instances], dtype=np.intp)
    if len(indices) < n_instances:
        rest = np.setdiff1d(np.arange(len(X)), indices)
        extra, _values = best(typicality[rest], n_instances - len(indices), rng)
        indices = np.concatenate([indices, rest[extra]])
    return indices, np.linspace(1, 0, len(indices), endpoint=False, dtype=np.float64)


MOST_CLUSTERS = 120  # of a sample of some thousand candidates: more would be clusters of a handful


def clustered(X: Rows, clusters: int, rng: np.random.Generator) -> MiniBatchKMeans:
    """k-means of rows (m, d) by small batches, quick enough for a shortlist or a sample of the pool."""
    model = MiniBatchKMeans(
        clusters, n_init=1, max_iter=20, batch_size=1024, random_state=int(rng.integers(2**31)), reassignment_ratio=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicates in the pool make fewer distinct clusters; that is no fault here
        return model.fit(np.ascontiguousarray(X, dtype=np.float32))


def _typicality(X: Rows) -> npt.NDArray[np.float64]:
    """The mean cosine to the nearest neighbours among the candidates (m,); m is a shortlist, so m x m is small."""
    near = min(NEIGHBOURS, len(X) - 1)
    if near < 1:
        return np.ones(len(X))
    cosines = X @ X.T
    np.fill_diagonal(cosines, -np.inf)
    mean: npt.NDArray[np.float64] = np.partition(cosines, -near, axis=1)[:, -near:].mean(axis=1).astype(np.float64)
    return mean


def _most_typical(labels: npt.NDArray[Any], cluster: int, typicality: npt.NDArray[np.float64]) -> int:
    members = np.flatnonzero(labels == cluster)
    return int(members[typicality[members].argmax()])


@checked
def farthest(
    _: Any, X: Rows, n_instances: int, rng: np.random.Generator, seen: Rows | None = None, **_kw: Any
) -> Picked:
    """Greedily the candidate least like all rows seen and chosen so far (k-center, CoreSet, arXiv 1708.00489)."""
    closest = np.full(len(X), -1.0) if seen is None or not len(seen) else (X @ seen.T).max(axis=1).astype(np.float64)
    if seen is None or not len(seen):
        closest[rng.integers(len(X))] = -2.0
    indices, utilities = [], []
    for _step in range(n_instances):
        pick = int(closest.argmin())
        indices.append(pick)
        utilities.append(float(1 - max(closest[pick], -1.0)))
        closest = np.maximum(closest, X @ X[pick])
        closest[indices] = np.inf
    return np.asarray(indices, dtype=np.intp), np.asarray(utilities)
