"""The nearest of some thousand landmarks, exactly and the same for every batch, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from attune.models.maps.fixed_point import IntRows
from attune.models.vectors.pool import IntArray

HELD = 1 << 24  # products that are held at once: 64 MiB
GROUP = 128  # landmarks of which first only the nearest is looked at


def nearest(rows: IntRows, among: IntRows, count: int) -> Iterator[tuple[slice, IntArray, npt.NDArray[np.float64]]]:
    """Block by block: which ``rows`` (n, m), their ``count`` nearest of ``among`` (l, m), nearest first, and the
    squared distances. Both (b, count); of equally near ones the one that comes first in ``among`` is the nearer.
    """
    count = min(count, len(among))
    groups = max(1, -(-len(among) // GROUP))
    # One more column of zeros: a group that is not full is filled with what is never near.
    padded = np.zeros((groups * GROUP, among.shape[1]), dtype=np.float32)
    padded[: len(among)] = among
    half = np.full(groups * GROUP, np.inf, dtype=np.float32)
    half[: len(among)] = (among.astype(np.float64) ** 2).sum(axis=1) / 2
    step = max(1, HELD // len(padded))
    for start in range(0, len(rows), step):
        block = rows[start : start + step].astype(np.float32)
        close = block @ padded.T  # whole numbers below 2**24, so exact
        close -= half
        found = _largest(close, groups, count)
        apart = block[:, None, :].astype(np.float64) - padded[found]
        yield slice(start, start + len(block)), found, np.einsum("bkm,bkm->bk", apart, apart)


def _largest(close: npt.NDArray[np.float32], groups: int, count: int) -> IntArray:
    """The columns (b, count) of the largest entries of each row, largest first: they are in the ``count`` groups whose
    own largest entries are largest."""
    by_group = close.reshape(len(close), groups, GROUP)
    kept = min(groups, count)
    best = by_group.max(axis=2)
    chosen = np.sort(np.argsort(-best, axis=1, kind="stable")[:, :kept], axis=1)
    rows = np.arange(len(close))[:, None]
    candidates = by_group[rows, chosen].reshape(len(close), kept * GROUP)
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :count]
    return np.asarray(chosen[rows, order // GROUP] * GROUP + order % GROUP, dtype=np.intp)
