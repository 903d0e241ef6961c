"""Ranked lists of similar assets: never of one's own title, and not always the same few that are near to everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
BLOCK = 512  # rows of one block of cosines: 200,000 columns of them are 400 MB
SAMPLE = 5000  # assets among which crowding is measured
NEAREST = 10


def blocks(vectors: Floats, titles: npt.ArrayLike, costs: Floats | None = None) -> Iterator[tuple[Ints, Floats]]:
    """Row numbers of a block (b,) and how near each asset is to them, float32 (b, n).

    ``vectors`` (n, d) of unit length, ``titles`` (n,), ``costs`` (n,) taken from everyone's nearness to that asset.
    An asset itself and the others of its title are at -inf.
    """
    _, title = np.unique(np.asarray(titles, dtype=np.str_), return_inverse=True)
    title = title.reshape(-1)
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        near = vectors[rows] @ vectors.T
        if costs is not None:
            near -= costs
        near[title[rows][:, None] == title] = -np.inf
        yield rows, near


def leading(near: Floats, size: int = NEAREST) -> Ints:
    """The ``size`` nearest of each row, nearest first, intp (b, size); equals in the order of the assets."""
    size = min(size, near.shape[1])
    found = np.sort(np.argpartition(-near, size - 1, axis=1)[:, :size], axis=1)
    order = np.argsort(-np.take_along_axis(near, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def crowding(vectors: Floats, titles: npt.ArrayLike, seed: int = 0) -> Floats:
    """How near each asset is to its ten nearest of other titles, mean cosine float32 (n,).

    Measured among at most ``SAMPLE`` assets. Taking a part of it from an asset's nearness keeps those in the middle
    of everything from filling all lists (cross-domain similarity local scaling, Conneau et al. 2018, 2.3).
    """
    return crowding_of(lambda rows: vectors[rows], np.asarray(titles, dtype=np.str_), seed)


def crowding_of(
    see: Callable[[Ints], Floats], titles: npt.NDArray[np.generic], seed: int = 0, sample: int = SAMPLE
) -> Floats:
    """The same of vectors that ``see`` gives for row numbers (m,), so that no more than a block of them is held."""
    count = len(titles)
    among: Ints = np.arange(count)
    if count > sample:
        among = np.sort(np.random.default_rng([seed, 62]).choice(count, sample, replace=False))
    fixed = see(among)
    means = np.zeros(count, dtype=np.float32)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        near = see(rows) @ fixed.T
        near[titles[rows][:, None] == titles[among]] = -1.0
        top = min(NEAREST, near.shape[1])
        means[rows] = np.partition(near, -top, axis=1)[:, -top:].mean(axis=1)
    return means


def costs(vectors: Floats, titles: npt.ArrayLike, weight: float, seed: int = 0) -> Floats | None:
    """What to take from everyone's nearness to each asset, (n,): ``weight`` times its crowding; None for 0."""
    return np.float32(weight) * crowding(vectors, titles, seed) if weight else None
