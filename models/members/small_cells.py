"""Which counts of members may be told: no cell below the floor, and none that the others give away.

Primary suppression hides cells below the floor. Complementary suppression hides others with them, so that the total
less what is shown never gives a hidden cell (Hundepool and others, Statistical Disclosure Control, 2012). Counts are
rounded: of two fits, one with a member less, each count says nothing about that member in 9 of 10 cases. Versions are
not compared with each other, so many titles together may tell something.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FLOOR = 50  # members in a cell
ROUNDED = 10
HIDDEN = -1
Counts = npt.NDArray[np.int64]


def shown(counts: npt.ArrayLike, floor: int = FLOOR, rounded: int = ROUNDED) -> tuple[Counts, Counts]:
    """What may be told of ``counts`` (n, g) of members: cells (n, g) and totals (n,), ``HIDDEN`` where nothing is.

    In a row with a hidden cell, at least two are hidden, with so many members together that not all of them can be
    small: so whichever may be small may be any number below the floor. Where a row cannot be divided so, all of it is
    hidden, with its total. Columns should be in an order that does not hang on the row, such as the groups' sizes.
    """
    exact = np.asarray(counts, dtype=np.int64)
    hidden = exact < floor
    for row in np.flatnonzero(hidden.any(axis=1) & ~hidden.all(axis=1)).tolist():
        # The last first, whatever their sizes: of the smallest, everybody would know that they are below the others.
        for cell in range(exact.shape[1] - 1, -1, -1):
            if _safe(exact[row], hidden[row], floor):
                break
            hidden[row, cell] = True
    told = np.array([_safe(cells, gone, floor) for cells, gone in zip(exact, hidden, strict=True)], dtype=np.bool_)
    cells = np.where(hidden, HIDDEN, nearest(exact, rounded))
    return cells, np.where(told, nearest(exact.sum(axis=1), rounded), HIDDEN)


def _safe(row: Counts, hidden: npt.NDArray[np.bool_], floor: int) -> bool:
    """Whether the total of a row may be told beside the cells that are not ``hidden``."""
    count = int(hidden.sum())
    return not count or (count >= 2 and int(row[hidden].sum()) > count * (floor - 1))


def in_words(count: int) -> str:
    """A count of members for a sentence; a small one is not told."""
    return f"{count:,} members" if count >= FLOOR else f"Fewer than {FLOOR} members"


def nearest(counts: npt.ArrayLike, rounded: int = ROUNDED) -> Counts:
    """Counts as they are told: the nearest multiple of ``rounded``."""
    values = np.asarray(counts, dtype=np.int64)
    return (values + rounded // 2) // rounded * rounded
