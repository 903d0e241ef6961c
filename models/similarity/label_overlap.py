"""How far weak labels of several values, such as genres, agree: Jaccard overlap, and pairs to learn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.errors import NotEnoughLabels

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
POSITIVE = 0.5  # two assets are alike where their labels have at least this Jaccard overlap
PAIRS = 4000  # of one batch: pairs grow with its square, and some losses hold pairs x batch numbers
FEWEST_ROWS, FEWEST_LABELS = 30, 2


def jaccard(labels: npt.ArrayLike, others: npt.ArrayLike | None = None) -> Floats:
    """Shared labels over all labels of the two, float32 (n, m), of multi-hot rows (n, k) and (m, k); 0 without any."""
    left = np.asarray(labels, dtype=np.float32)
    right = left if others is None else np.asarray(others, dtype=np.float32)
    shared = left @ right.T
    either = left.sum(axis=1)[:, None] + right.sum(axis=1)[None] - shared
    return np.asarray(shared / np.maximum(either, 1), dtype=np.float32)


def alike_pairs(labels: npt.ArrayLike, rng: np.random.Generator, most: int = PAIRS) -> tuple[Ints, Ints]:
    """Pairs ``i < j`` with an overlap of at least ``POSITIVE``, two arrays (p,); at most ``most``, drawn evenly."""
    first, second = np.nonzero(np.triu(jaccard(labels) >= POSITIVE, 1))
    return _drawn(first, second, rng, most)


def foreign_pairs(labels: npt.ArrayLike, rng: np.random.Generator, most: int = PAIRS) -> tuple[Ints, Ints]:
    """Pairs ``i < j`` that share no label, two arrays (p,); p is at most ``most``, drawn evenly."""
    given = np.asarray(labels, dtype=np.float32)
    first, second = np.nonzero(np.triu(given @ given.T == 0, 1))
    return _drawn(first, second, rng, most)


def _drawn(first: Ints, second: Ints, rng: np.random.Generator, most: int) -> tuple[Ints, Ints]:
    if len(first) > most:
        kept = np.sort(rng.choice(len(first), most, replace=False))
        first, second = first[kept], second[kept]
    return first, second


def overlap_targets(labels: npt.ArrayLike, most: int = 40) -> Floats:
    """Numbers for each row whose products give the Jaccard overlap of rows, float32 (n, at most ``most``).

    The leading eigenvectors of the overlap of the distinct label sets, weighted by how often each occurs: what a
    regression must predict so that products of its predictions say how much two assets share (classical scaling,
    Torgerson 1952).
    """
    sets, row = np.unique(np.asarray(labels, dtype=np.float32), axis=0, return_inverse=True)
    weight = np.sqrt(np.bincount(row.reshape(-1)).astype(np.float64))
    values, vectors = np.linalg.eigh(jaccard(sets) * np.outer(weight, weight))
    leading = np.argsort(-values)[:most]
    leading = leading[values[leading] > 1e-9]
    at_sets = vectors[:, leading] * np.sqrt(values[leading]) / weight[:, None]
    return np.asarray(at_sets[row.reshape(-1)], dtype=np.float32)


def check_enough(labels: npt.ArrayLike) -> None:
    """Raise NotEnoughLabels unless there are ``FEWEST_ROWS`` rows with a label, and ``FEWEST_LABELS`` labels in use."""
    given = np.asarray(labels)
    rows, used = int((given.sum(axis=1) > 0).sum()), int((given.sum(axis=0) > 0).sum())
    if rows < FEWEST_ROWS or used < FEWEST_LABELS:
        raise NotEnoughLabels(
            f"{rows} images have a label, of {used} different labels. Learning a space needs at least {FEWEST_ROWS} "
            f"images and {FEWEST_LABELS} labels. Add a column such as genre with `attune assets add`."
        )
