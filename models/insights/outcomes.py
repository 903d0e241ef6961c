"""What was measured, as arrays: how often each image was shown and taken, grouped by title and canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.signedinteger[Any]]  # of many rows 32 bits each: widen them before they are multiplied


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Counts of images on canvases, sorted by title, canvas and asset; make them with ``outcomes``.

    ``asset``, ``title`` and ``canvas`` (n,) are numbers from 0; ``impressions`` and ``takes`` (n,) are counts. A
    *cell* is one title on one canvas: the rows that may be compared with each other.
    """

    asset: Ints
    title: Ints
    canvas: Ints
    impressions: Floats
    takes: Floats

    def __len__(self) -> int:
        return len(self.asset)

    def where(self, kept: npt.NDArray[np.bool_] | Ints | slice) -> Outcomes:
        """The rows that ``kept`` selects, (n,) bool, places or a slice, with the same numbers of assets and titles."""
        asset, title, canvas = self.asset[kept], self.title[kept], self.canvas[kept]
        return Outcomes(asset, title, canvas, self.impressions[kept], self.takes[kept])

    def parts(self) -> Iterator[Outcomes]:
        """The rows as ``row_parts.Parts``: one part, or none without any row."""
        if len(self):
            yield self

    def chosen(self, kept: Callable[[Outcomes], Bools]) -> Outcomes:
        """The rows that ``kept`` selects, (n,) bool: themselves where it selects all, for they can be many."""
        found = kept(self)
        return self if found.all() else self.where(found)

    def title_starts(self) -> Ints:
        """The first row of each title, ascending."""
        return np.flatnonzero(np.diff(self.title, prepend=-1))

    def cell_starts(self) -> Ints:
        """The first row of each cell, ascending."""
        if not len(self):
            return np.zeros(0, dtype=np.intp)
        new = (self.title[1:] != self.title[:-1]) | (self.canvas[1:] != self.canvas[:-1])
        return np.flatnonzero(np.r_[True, new])


def numbered(ascending: Ints) -> Ints:
    """Ascending values (n,) counted from 0: equal ones have one number, without another sort."""
    numbers: Ints = np.cumsum(np.diff(ascending, prepend=ascending[:1]) != 0)
    return numbers


def outcomes(
    asset: npt.ArrayLike, title: npt.ArrayLike, canvas: npt.ArrayLike, impressions: npt.ArrayLike, takes: npt.ArrayLike
) -> Outcomes:
    """Sort and check columns (n,), so the order of rows never changes a result.

    Raises DataError for columns of different lengths, and where takes are negative or more than the impressions.
    """
    keys = [np.asarray(column, dtype=np.intp).reshape(-1) for column in (asset, title, canvas)]
    counts = [np.asarray(column, dtype=np.float64).reshape(-1) for column in (impressions, takes)]
    lengths = {len(column) for column in (*keys, *counts)}
    if len(lengths) > 1:
        raise DataError(f"The columns have different lengths: {', '.join(map(str, sorted(lengths)))}. Give one length.")
    shown, taken = counts
    check_counts(shown, taken)
    return Outcomes(keys[0], keys[1], keys[2], shown, taken).where(_order(keys, shown, taken))


def check_counts(shown: Floats, taken: Floats) -> None:
    """Raise DataError where impressions or takes (n,) are no counts, or there are more takes than impressions."""
    if not (np.isfinite(shown).all() and np.isfinite(taken).all() and (taken >= 0).all() and (taken <= shown).all()):
        raise DataError("A row has no valid counts. Takes must be 0 or more, and at most the impressions.")


def _order(keys: Sequence[Ints], shown: Floats, taken: Floats) -> Ints:
    """The order (n,) by title, canvas, asset, then counts: by one number for each row where that is enough."""
    asset, title, canvas = keys
    assets, titles, canvases = (int(one.max(initial=0)) + 1 for one in keys)
    if min(one.min(initial=0) for one in keys) >= 0 and assets * titles * canvases < 2**62:
        number = (title * canvases + canvas) * assets + asset
        order = np.argsort(number, kind="stable")
        number = number[order]
        if (number[1:] != number[:-1]).all():  # else the counts decide, too
            return np.asarray(order, dtype=np.intp)
    return np.asarray(np.lexsort((taken, shown, asset, canvas, title)), dtype=np.intp)
