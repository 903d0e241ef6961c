"""Ways to recommend: a function from what a viewer had liked to a score for every title."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.recommend import by_vectors
from attune.models.recommend.by_others import ItemNeighbours, popularity
from attune.models.similarity.label_overlap import jaccard
from benchmarks.recommend.split import Case, Split

Floats = npt.NDArray[np.float32]
Scorer = Callable[[Case], Floats]


def scorers(parts: Split, genres: Floats, raw: Floats, taste: Floats) -> Iterator[tuple[str, Scorer]]:
    """Each way by name. ``genres`` (t, k), ``raw`` and ``taste`` (t, d) one vector of unit length a title.

    ALS is left out where the package implicit is not installed.
    """
    rng = np.random.default_rng(68)
    count = len(parts.before.titles)
    popular = popularity(parts.before)
    neighbours = ItemNeighbours(parts.before)
    overlap = jaccard(genres)
    yield "random", lambda case: rng.random(count, dtype=np.float32)
    yield "popularity", lambda case: popular
    yield "item_knn", lambda case: neighbours.scores(case.liked)
    als = _als(parts)
    if als is not None:
        yield "als", als
    # Every pair of titles once: viewers like the same ones again and again.
    for name, near in (("genres", overlap), ("raw", raw @ raw.T), ("taste", taste @ taste.T)):
        yield name, partial(_nearest, near)


def _nearest(near: Floats, case: Case) -> Floats:
    return by_vectors.nearest_liked(near[:, case.liked[-by_vectors.MOST_LIKED :]])


def _als(parts: Split) -> Scorer | None:
    """Alternating least squares for likes (Hu, Koren and Volinsky 2008), by the package implicit."""
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError:
        return None
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    before = parts.before
    ones = np.ones(len(before), dtype=np.float32)
    shape = (len(before.users), len(before.titles))
    likes = csr_matrix((ones, (before.user, before.title)), shape=shape)
    likes.data[:] = 1.0
    with threadpool_limits(1, "blas"):
        model: Any = AlternatingLeastSquares(factors=64, iterations=15, num_threads=1, random_state=0)
        model.fit(likes, show_progress=False)
    people, items = np.asarray(model.user_factors), np.asarray(model.item_factors)
    return lambda case: np.asarray(items @ people[case.user], dtype=np.float32)
