"""Clusters of a pool: k-means (Lloyd 1982) on the leading principal components of its unit vectors.

It starts from PCA-Part (Su and Dy, Intelligent Data Analysis 11, 2007): the part with the largest error is cut in two
along its own first component, until there are k. No chance is in it, and other samples of a pool begin at nearly the
same centres. Measured on 7,808 posters: as small an error as k-means++, and far more of it the same from sample to
sample (``benchmarks.clusters``).

The components and the centres are found on a sample, then every vector goes to its nearest centre, one pass over the
mapped blocks. The same vectors, k and seed (of the sample) give the same clusters on the same machine, to the last bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from attune.models.spaces.components import Components, principal_components
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

KEPT = 64  # components: the rest of a vector is mostly noise to a cluster
FIT = 50_000  # vectors that components and centres are found on
STEP = 8_192  # vectors held as float32 at once
SEED = 6  # of the stream of random numbers that belongs to clusters

LabelArray = npt.NDArray[np.int16]
Assign = Callable[[FloatArray, FloatArray], npt.NDArray[np.intp]]  # rows (n, m), centres (k, m) -> places (n,)


@dataclass(frozen=True, eq=False)
class Projected:
    """The pool in its leading components: ``rows`` (n, m) float32 of the pool indices ``index`` (n,).

    ``onto_mean`` (n,) is each unit vector's product with the pool's mean vector, and ``sample`` (s,) the places in
    ``rows`` that centres are found on.
    """

    rows: FloatArray
    index: IntArray
    onto_mean: FloatArray
    components: Components
    sample: IntArray


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters, largest first: ``labels`` (n,) of the projected rows, from 0, and each row's ``cosines`` (n,) float16
    to its centre in the whole space. ``centres`` (k, m) are in the components."""

    labels: LabelArray
    cosines: npt.NDArray[np.float16]
    centres: FloatArray

    @property
    def sizes(self) -> IntArray:
        """How many rows each cluster holds (k,)."""
        return np.bincount(self.labels, minlength=len(self.centres)).astype(np.intp)


def project(pool: Pool, among: npt.NDArray[np.bool_], seed: int = 0, kept: int = KEPT) -> Projected:
    """The vectors that ``among`` (N,) bool lets in, in at most ``kept`` components. Raises EmptyPool without blocks."""
    index = np.flatnonzero(among).astype(np.intp)
    rng = np.random.default_rng([seed, SEED])
    sample: IntArray = np.arange(len(index), dtype=np.intp)
    if len(index) > FIT:
        sample = np.sort(rng.choice(len(index), FIT, replace=False, shuffle=False)).astype(np.intp)
    if not len(index):
        empty = Components(np.zeros(pool.dim, dtype=np.float32), np.zeros((0, pool.dim), dtype=np.float32))
        return Projected(np.zeros((0, 0), dtype=np.float32), index, np.zeros(0, dtype=np.float32), empty, sample)
    components = principal_components(_blocks(pool, index[sample]), kept)
    heads = np.concatenate([components.directions, components.mean[None]])
    biases = np.append(-components.directions @ components.mean, 0).astype(np.float32)
    products = pool.logits(heads, biases)[index]
    rows = np.ascontiguousarray(products[:, :-1])
    return Projected(rows, index, products[:, -1].copy(), components, sample)


def _blocks(pool: Pool, index: IntArray) -> Iterator[FloatArray]:
    for start in range(0, len(index), STEP):
        yield pool.rows(index[start : start + STEP])


def cluster(projected: Projected, k: int, assign: Assign | None = None) -> Clusters:
    """At most ``k`` clusters; fewer where fewer vectors are distinct, and none of nothing.

    ``assign`` gives each row its nearest centre, as `nearest_centre` does here.
    """
    if not len(projected.rows):
        nothing = np.zeros(0, dtype=np.int16)
        return Clusters(nothing, nothing.astype(np.float16), np.zeros((0, 0), dtype=np.float32))
    centres = find_centres(projected.rows[projected.sample], k)
    labels = (assign or nearest_centre)(projected.rows, centres)
    sizes = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")[: int((sizes > 0).sum())]
    rank = np.full(len(centres), -1, dtype=np.int16)
    rank[order] = np.arange(len(order), dtype=np.int16)
    centres = centres[order]
    return Clusters(rank[labels], _cosines(projected, centres, rank[labels]), centres)


def find_centres(rows: FloatArray, k: int) -> FloatArray:
    """The centres (<= k, m) of ``rows`` (n, m): fewer where fewer rows are distinct."""
    # The order in which threads add up is not fixed, and would change the last bits of a centre.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than k: whoever asked is told
        start = _parted(rows, k)
        model = KMeans(len(start), init=start, n_init=1, random_state=0).fit(rows)
    found: FloatArray = np.asarray(model.cluster_centers_[np.unique(model.labels_)], dtype=np.float32)
    return found


def _parted(rows: FloatArray, k: int) -> FloatArray:
    """The means (<= k, m) of parts of ``rows``: the part with the largest error is cut in two until there are ``k``."""
    parts = [np.arange(len(rows))]
    errors = [_error(rows)]
    while len(parts) < k and max(errors) > 0:
        worst = int(np.argmax(errors))
        part, _ = parts.pop(worst), errors.pop(worst)
        centred = rows[part] - rows[part].mean(axis=0)
        _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        beyond = centred @ directions[:, -1].astype(np.float32) > 0
        if beyond.all() or not beyond.any():  # equal but for rounding: nothing to cut
            parts.append(part)
            errors.append(0.0)
            continue
        for half in (part[beyond], part[~beyond]):
            parts.append(half)
            errors.append(_error(rows[half]))
    return np.stack([rows[part].mean(axis=0) for part in parts])


def _error(rows: FloatArray) -> float:
    return float(((rows - rows.mean(axis=0)) ** 2).sum(dtype=np.float64))


def nearest_centre(rows: FloatArray, centres: FloatArray) -> npt.NDArray[np.intp]:
    """The place (n,) of the nearest of ``centres`` (k, m) for each of ``rows`` (n, m)."""
    half = (centres**2).sum(axis=1) / 2
    parts = [
        (rows[start : start + STEP] @ centres.T - half).argmax(axis=1).astype(np.intp)
        for start in range(0, len(rows), STEP)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)


def nearest_others(centres: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """For each of ``centres`` (k, m) the places (k, <= count) of the nearest others, nearest first."""
    if len(centres) < 2:
        return np.zeros((len(centres), 0), dtype=np.intp)
    squares = (centres.astype(np.float64) ** 2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * centres.astype(np.float64) @ centres.T
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, : min(count, len(centres) - 1)]


def _cosines(projected: Projected, centres: FloatArray, labels: LabelArray) -> npt.NDArray[np.float16]:
    """The cosine of each unit vector to its centre, put back into the whole space.

    A centre there is mean + c.W, so its product with x is x.mean + (W(x - mean) + W mean).c: no vector is read again.
    """
    mean, directions = projected.components.mean, projected.components.directions
    whole = mean + centres @ directions
    along = projected.rows + directions @ mean
    products = projected.onto_mean + np.einsum("ij,ij->i", along, centres[labels])
    lengths = np.linalg.norm(whole, axis=1)
    cosines = products / np.where(lengths > 0, lengths, 1)[labels]
    return np.asarray(np.clip(cosines, -1, 1), dtype=np.float16)
