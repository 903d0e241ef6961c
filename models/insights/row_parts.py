"""Outcomes that need not fit into memory: read a part of whole titles at a time, from a file.

What is estimated within titles adds up over titles, so each part is worked on alone. The file has no name: nothing is
left of it however the program ends.
"""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt

from attune.models.insights.outcomes import Bools, Floats, Outcomes

PART = 250_000  # rows that are worked on at once, or as many as one title has
Test = Callable[[Outcomes], Bools]


class Parts(Protocol):
    """Outcomes in memory (``Outcomes``), in a file (``Stored``), or some of those (``Chosen``)."""

    def parts(self) -> Iterator[Outcomes]:
        """The rows in parts of whole titles, ascending, none of them empty."""
        ...

    def chosen(self, kept: Test) -> Parts:
        """The rows of each part that ``kept`` selects: (n,) bool."""
        ...


@dataclass(frozen=True, eq=False)
class Chosen:
    """The rows of ``source`` that ``kept`` selects, anew each time that they are read."""

    source: Parts
    kept: Test

    def parts(self) -> Iterator[Outcomes]:
        """As ``Parts``."""
        for part in self.source.parts():
            found = part.chosen(self.kept)
            if len(found):
                yield found

    def chosen(self, kept: Test) -> Chosen:
        """As ``Parts``."""
        return Chosen(self, kept)


@dataclass(eq=False)
class Stored:
    """Rows in a file of ``folder``; ``add`` them in the order of their titles. ``beside``: each has one more number."""

    folder: Path
    beside: bool = False
    rows: int = 0
    _places: list[tuple[int, int]] = field(default_factory=list)  # of each part: first byte, rows

    def __post_init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115 as long as the rows
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self.rows

    def add(self, rows: Outcomes, more: Floats | None = None) -> None:
        """Add ``rows`` of titles after those that are there, with the number ``more`` (n,) of each."""
        first = 0
        for part in split(rows, PART):
            place = self._file.seek(0, os.SEEK_END)
            beside = [] if more is None else [more[first : first + len(part)]]
            first += len(part)
            for counts in (part.impressions, part.takes, *beside):
                self._write(np.ascontiguousarray(counts, dtype=np.float64))
            for numbers in (part.asset, part.title, part.canvas):
                self._write(np.ascontiguousarray(numbers, dtype=np.int32))
            self._places.append((place, len(part)))
            self.rows += len(part)

    def _write(self, column: npt.NDArray[np.generic]) -> None:
        """All of ``column``: a disk that is nearly full takes a part of it, and says nothing."""
        left = column.data.cast("B") if column.nbytes else b""
        while len(left):
            if not (taken := self._file.write(left)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left = left[taken:]

    def parts(self) -> Iterator[Outcomes]:
        """As ``Parts``."""
        for part, _ in self.with_more():
            yield part

    def with_more(self) -> Iterator[tuple[Outcomes, Floats]]:
        """The parts, each with one more number of its rows (n,); none where nothing is ``beside``."""
        for place, rows in self._places:
            shown, taken, more = np.empty(rows), np.empty(rows), np.empty(rows if self.beside else 0)
            asset, title, canvas = (np.empty(rows, dtype=np.int32) for _ in range(3))
            columns = (shown, taken, more, asset, title, canvas)
            read = os.preadv(self._file.fileno(), [one.data for one in columns], place)
            if read != sum(one.nbytes for one in columns):  # no room on the disk for the last of them
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield Outcomes(asset, title, canvas, shown, taken), more

    def chosen(self, kept: Test) -> Chosen:
        """As ``Parts``."""
        return Chosen(self, kept)


@dataclass(frozen=True, eq=False)
class Valued:
    """``rows`` with a value of each asset, ``by_asset`` (assets,)."""

    rows: Parts
    by_asset: Floats

    def __iter__(self) -> Iterator[tuple[Outcomes, Floats]]:
        """Each part with the value of each of its rows (n,)."""
        for part in self.rows.parts():
            yield part, self.by_asset[part.asset]


def split(rows: Outcomes, size: int) -> Iterator[Outcomes]:
    """``rows`` in parts of ``size`` and of whole titles."""
    if not len(rows):
        return
    starts = np.r_[rows.title_starts(), len(rows)]
    edges = np.unique(np.r_[0, starts[np.searchsorted(starts, np.arange(size, len(rows), size))], len(rows)])
    for first, last in pairwise(edges.tolist()):
        yield rows.where(slice(first, last))


def seen(rows: Parts, assets: int) -> Bools:
    """Which of the ``assets`` have rows (assets,)."""
    found: npt.NDArray[np.bool_] = np.zeros(assets, dtype=bool)
    for part in rows.parts():
        found[part.asset] = True
    return found
