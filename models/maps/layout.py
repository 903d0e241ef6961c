"""Landmarks laid out on a plane by t-SNE (van der Maaten and Hinton 2008) in openTSNE (Policar et al. 2024).

It starts from the two leading components (Kobak and Berens 2019), so no chance is in it: the same vectors and the same
seed of the sample give the same layout, with one thread. The layout is found on at most ``MOST`` landmarks; the other
images are placed among them (``attune.models.maps.placing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from attune.models.maps.fixed_point import KEPT, IntRows, WholeComponents
from attune.models.maps.nearest import nearest
from attune.models.maps.placing import Landmarks, Places
from attune.models.spaces.components import principal_components
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

MOST = 20_000  # landmarks
PERPLEXITY = 30  # about how many neighbours count
EARLY, LATE = 250, 500  # steps with the groups drawn together, and without
LOOK = 50  # steps between two reports
THREADS = 2  # of products; openTSNE runs on one, as threads that add up in another order would give another layout
SEED = 7  # of the stream of random numbers that belongs to maps
EDGE = 0.03  # of the plane that stays free at each side
SPAN = 65_535
START = 1e-4  # spread of the first positions
FEWEST = 8  # landmarks for which t-SNE makes sense
STEPS = (EARLY + LATE) // LOOK

Step = Callable[[], object]


def make(
    pool: Pool, among: npt.NDArray[np.bool_], seed: int = 0, step: Step = lambda: None, most: int = MOST
) -> tuple[Landmarks, IntArray]:
    """Lay out at most ``most`` of the vectors that ``among`` (N,) bool lets in; the landmarks, and their pool indices.

    ``step`` is called ``STEPS`` times. Raises EmptyPool without blocks.
    """
    there = np.flatnonzero(among).astype(np.intp)
    if len(there) > most:
        rng = np.random.default_rng([seed, SEED])
        there = np.sort(rng.choice(there, most, replace=False, shuffle=False)).astype(np.intp)
    with threadpool_limits(THREADS):
        rows = pool.rows(there)
        whole = WholeComponents.of(principal_components(_blocks(rows), min(KEPT, pool.dim)), rows)
        components = whole.project(rows)
    positions = to_plane(_lay_out(components, step))
    return Landmarks(whole, components, positions), there


def to_plane(positions: npt.NDArray[np.float64]) -> Places:
    """Positions (n, 2) as uint16 in the middle of the plane, one scale for both axes."""
    low, high = positions.min(axis=0, initial=np.inf), positions.max(axis=0, initial=-np.inf)
    if not len(positions) or not (span := float((high - low).max())) > 0:
        return np.full((len(positions), 2), SPAN // 2, dtype=np.uint16)
    scaled = (positions - (low + high) / 2) / span * (1 - 2 * EDGE) + 0.5
    whole: Places = np.rint(scaled * SPAN).astype(np.uint16)
    return whole


def _lay_out(components: IntRows, step: Step) -> npt.NDArray[np.float64]:
    """Positions (n, 2) of ``components`` (n, m)."""
    start = _start(components)
    if len(components) < FEWEST or not np.any(start):
        for _ in range(STEPS):
            step()
        return start
    from openTSNE import TSNEEmbedding

    with threadpool_limits(1):
        made: Any = TSNEEmbedding(
            start, _affinities(components), negative_gradient_method="auto", n_jobs=1, random_state=0
        )
        heard: dict[str, Any] = {"callbacks": [lambda *_: bool(step()) and False], "callbacks_every_iters": LOOK}
        made.optimize(EARLY, exaggeration=12, momentum=0.5, inplace=True, **heard)
        made.optimize(LATE, momentum=0.8, inplace=True, **heard)
    return np.asarray(made, dtype=np.float64)


def _start(components: IntRows) -> npt.NDArray[np.float64]:
    """The two leading components, small."""
    two = np.zeros((len(components), 2))
    two[:, : min(2, components.shape[1])] = components[:, :2]
    two -= two.mean(axis=0)
    spread = two[:, 0].std()
    return two / spread * START if spread > 0 else two


def _affinities(components: IntRows) -> Any:
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(components) - 1) / 3)
    index, distances = neighbours(components, int(3 * perplexity))
    known = PrecomputedNeighbors(index, distances)
    return PerplexityBasedNN(knn_index=known, perplexity=perplexity, n_jobs=1)


def neighbours(components: IntRows, count: int) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """For each row its ``count`` nearest other rows (n, count), nearest first, and their distances."""
    count = min(count, len(components) - 1)
    index = np.empty((len(components), count), dtype=np.intp)
    distances = np.empty((len(components), count))
    with threadpool_limits(THREADS):
        for where, found, squared in nearest(components, components, count + 1):
            own = np.arange(len(components))[where]
            others = found != own[:, None]
            # Of many equal rows one may not be among its own nearest: then the last is left out.
            others[others.all(axis=1), -1] = False
            index[where] = found[others].reshape(-1, count)
            distances[where] = np.sqrt(squared[others]).reshape(-1, count)
    return index, distances


def _blocks(rows: FloatArray, size: int = 8_192) -> Iterator[FloatArray]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
