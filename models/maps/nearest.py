"""The nearest of some thousand landmarks, exactly and the same for every batch, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from attune.models.maps.fixed_point import IntRows
from attune.models.vectors.pool import IntArray

HELD = 1 << 24  # products that are held at once: 64 MiB
GROUP = 48  # landmarks of which first only the nearest is looked at


def nearest(rows: IntRows, among: IntRows, count: int) -> Iterator[tuple[slice, IntArray, npt.NDArray[np.float64]]]:
    """Block by block: which ``rows`` (n, m), their ``count`` nearest of ``among`` (l, m), nearest first, and the
    squared distances. Both (b, count). Of equally near ones always the same are chosen.
    """
    count = min(count, len(among))
    groups = max(1, -(-len(among) // GROUP))
    # Groups that are not full are filled with what is never near.
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
    own largest entries are largest. A group has every ``groups``-th column, which is quicker to go through."""
    by_group = close.reshape(len(close), -1, groups)
    kept = min(groups, count)
    best = by_group.max(axis=1)
    chosen = np.sort(np.argsort(-best, axis=1, kind="stable")[:, :kept], axis=1)
    candidates = np.take_along_axis(by_group, chosen[:, None, :], axis=2).reshape(len(close), -1)
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :count]
    group = np.take_along_axis(chosen, order % kept, axis=1)
    return np.asarray(order // kept * groups + group, dtype=np.intp)
