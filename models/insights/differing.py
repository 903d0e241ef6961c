"""The cells that have a say in an effect within titles: those whose images differ in x, and that were taken at all.

Many rows come in parts of whole titles, and of each part only its cells are in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from attune.models.insights.outcomes import Floats, Ints, Outcomes, numbered

REMEMBERED = 9_000_000  # rows whose cells are kept; of more, they are made again for each step


@dataclass(frozen=True, eq=False)
class DifferingCells:
    """Rows (m,) of cells that differ in x: ``starts`` (c,) is each cell's first row, ``title`` (c,) counts from 0."""

    x: Floats
    impressions_of: Floats
    starts: Ints
    title: Ints
    taken: Floats  # (c,)
    taken_x: Floats  # (c,) sum of takes * x
    assets: Ints  # each once
    takes: float

    def by_title(self, effect: float) -> tuple[Floats, Floats]:
        """Each title's score and information (t,) at ``effect``."""
        score, information = (np.bincount(self.title, one).astype(np.float64) for one in self.evaluate(effect))
        return score, information

    def evaluate(self, effect: float) -> tuple[Floats, Floats]:
        """Each cell's score and information (c,) at ``effect``."""
        weight = self.impressions_of * np.exp(effect * self.x)
        weighted = weight * self.x
        total = np.add.reduceat(weight, self.starts)
        mean = np.add.reduceat(weighted, self.starts) / total
        square = np.add.reduceat(weighted * self.x, self.starts) / total
        return self.taken_x - self.taken * mean, self.taken * np.maximum(square - mean**2, 0.0)


def differing(outcomes: Outcomes, x: Floats) -> DifferingCells:
    """Those of rows with x (n,), NaN where it is unknown."""
    kept = np.isfinite(x) & (outcomes.impressions > 0)
    rows, x = (outcomes, x) if kept.all() else (outcomes.where(kept), x[kept])
    starts = rows.cell_starts()
    if len(starts):
        differs = np.maximum.reduceat(x, starts) > np.minimum.reduceat(x, starts)
        told = differs & (np.add.reduceat(rows.takes, starts) > 0)
        if not told.all():
            each = np.repeat(told, np.diff(np.r_[starts, len(rows)]))
            rows, x = rows.where(each), x[each]
            starts = rows.cell_starts()
    seen = np.zeros(int(rows.asset.max()) + 1 if len(rows) else 0, dtype=bool)
    seen[rows.asset] = True
    title = numbered(rows.title[starts])
    shown, taken = rows.impressions, rows.takes
    x = x - (np.average(x, weights=shown) if len(x) else 0.0)  # keeps the exponentials in range
    return DifferingCells(
        x, shown, starts, title, _sums(taken, starts), _sums(taken * x, starts), np.flatnonzero(seen),
        float(taken.sum()),
    )  # fmt: skip


class Ready:
    """The cells of each part that has any: kept where all together are ``REMEMBERED`` rows at most."""

    def __init__(self, parts: Iterable[tuple[Outcomes, Floats]]) -> None:
        self._parts = parts
        self._kept: list[DifferingCells] | None = None

    def __iter__(self) -> Iterator[DifferingCells]:
        if self._kept is not None:
            yield from self._kept
            return
        kept, rows = list[DifferingCells](), 0
        for part, x in self._parts:
            cells = differing(part, x)
            rows += len(cells.x)
            if rows <= REMEMBERED:
                kept.append(cells)
            else:
                kept.clear()
            if len(cells.x):
                yield cells
        if rows <= REMEMBERED:
            self._kept = [cells for cells in kept if len(cells.x)]


@dataclass(frozen=True)
class Compared:
    """What all cells together have; ``deviation``: the standard deviation of x over the rows of a part."""

    titles: int
    assets: int
    impressions: float
    takes: float
    deviation: float

    @classmethod
    def of(cls, parts: Iterable[DifferingCells]) -> Compared:
        titles, shown, taken, rows, squares = 0, 0.0, 0.0, 0, 0.0
        assets: list[Ints] = [np.zeros(0, dtype=np.intp)]
        for cells in parts:
            titles += int(cells.title[-1]) + 1
            shown, taken = shown + float(cells.impressions_of.sum()), taken + cells.takes
            rows, squares = rows + len(cells.x), squares + len(cells.x) * float(np.var(cells.x))
            assets.append(cells.assets)
        return cls(titles, len(np.unique(np.concatenate(assets))), shown, taken, math.sqrt(squares / max(rows, 1)))


def _sums(values: Floats, starts: Ints) -> Floats:
    sums: Floats = np.add.reduceat(values, starts) if len(starts) else np.zeros(0)
    return sums
