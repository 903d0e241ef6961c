"""Where an id stands among millions: 16 bytes an id, where a dictionary of Python's strings takes nearly 200."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np
import numpy.typing as npt

AT_ONCE = 50_000  # ids that are Python's strings at the same time


class IdIndex:
    """The rows of ``ids`` (N,) str, each there once, by the hash of the id.

    ``hashed`` gives a whole number of 64 bits for an id; two ids with the same one are told apart by a look at all.
    """

    def __init__(self, ids: npt.NDArray[np.str_], hashed: Callable[[str], int] = hash) -> None:
        self.ids, self.hashed = ids, hashed
        parts = (ids[start : start + AT_ONCE].tolist() for start in range(0, len(ids), AT_ONCE))
        hashes = np.fromiter(map(hashed, chain.from_iterable(parts)), dtype=np.int64, count=len(ids))
        self.order = np.argsort(hashes, kind="stable")
        self.hashes = hashes[self.order]

    def __reduce__(self) -> tuple[type[IdIndex], tuple[npt.NDArray[np.str_], Callable[[str], int]]]:
        """Made anew where it is unpickled: another process hashes otherwise."""
        return IdIndex, (self.ids, self.hashed)

    def rows(self, wanted: Iterable[str]) -> npt.NDArray[np.intp]:
        """The rows of ``wanted`` (m,) intp, -1 for an id that is not there."""
        if not isinstance(wanted, np.ndarray):
            return self._rows(list(wanted))
        parts = [self._rows(wanted[start : start + AT_ONCE].tolist()) for start in range(0, len(wanted), AT_ONCE)]
        return np.concatenate([np.empty(0, dtype=np.intp), *parts])

    def _rows(self, names: list[str]) -> npt.NDArray[np.intp]:
        rows = np.full(len(names), -1, dtype=np.intp)
        if not names or not len(self.ids):
            return rows
        hashes = np.fromiter(map(self.hashed, names), dtype=np.int64, count=len(names))
        places = np.searchsorted(self.hashes, hashes).clip(max=len(self.ids) - 1)
        found = np.flatnonzero(self.hashes[places] == hashes)
        rows[found] = self.order[places[found]]
        for place in found[self.ids[rows[found]] != np.array(names, dtype=np.str_)[found]].tolist():
            there = np.flatnonzero(self.ids == names[place])
            rows[place] = there[0] if len(there) else -1
        return rows
