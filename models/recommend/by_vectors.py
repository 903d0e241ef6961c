"""Recommendations from how titles look: what is near to the liked titles in a space, also what nobody watched yet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
NEAR = 3  # liked titles that count for a candidate: a taste has several sides, and a mean of all has none of them
MOST_LIKED = 100  # of the newest likes


def title_vectors(vectors: Floats, title: Ints, count: int) -> Floats:
    """One vector of unit length a title, float32 (count, d): the mean of its artwork's, zeros without any.

    ``vectors`` (n, d) of unit length, ``title`` (n,) their titles' numbers.
    """
    total = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    np.add.at(total, title, vectors)
    return unit_length(total)


def scores(titles: Floats, liked: Ints, costs: Floats | None = None) -> Floats:
    """How near each title is to the ``NEAR`` nearest liked ones, mean cosine float32 (t,).

    ``titles`` (t, d) of unit length, ``liked`` (m,) oldest first, ``costs`` (t,) of titles that are near to
    everything. Raises DataError without a liked title.
    """
    if not len(liked):
        raise DataError("No liked title is known here. Expected at least one title of the pool in the history.")
    return nearest_liked(titles @ titles[liked[-MOST_LIKED:]].T, costs)


def nearest_liked(near: Floats, costs: Floats | None = None) -> Floats:
    """The mean of the ``NEAR`` highest of each row, float32 (t,): cosines (t, m) to liked titles, less the costs."""
    top = min(NEAR, near.shape[1])
    mean = np.partition(near, -top, axis=1)[:, -top:].mean(axis=1)
    return np.asarray(mean if costs is None else mean - costs, dtype=np.float32)


def recommend(found: Floats, seen: Ints, size: int = 10, allowed: npt.NDArray[np.bool_] | None = None) -> Ints:
    """The ``size`` titles with the highest scores ``found`` (t,), best first; never one of ``seen``.

    ``allowed`` (t,) bool says which may come; equals in the order of their numbers.
    """
    ranked = found.astype(np.float64)
    ranked[seen] = -np.inf
    if allowed is not None:
        ranked[~allowed] = -np.inf
    order = np.argsort(-ranked, kind="stable")[:size]
    kept: Ints = order[np.isfinite(ranked[order])]
    return kept


def reasons(titles: Floats, liked: Ints, title: int, size: int = NEAR) -> Ints:
    """The liked titles nearest to ``title``, nearest first: why it is recommended."""
    near = titles[liked] @ titles[title]
    return liked[np.argsort(-near, kind="stable")[:size]]
