"""Cells of a column of several values, such as genres, as multi-hot rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.files.cell_values import values_of

FEWEST = 10  # images with a label: fewer teach nothing
MOST = 64


def multi_hot(cells: Sequence[Any]) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Labels float32 (n, k) of ``cells`` (n,), and their names, the ``MOST`` commonest that ``FEWEST`` cells have."""
    given = [values_of(cell) for cell in cells]
    counts = Counter(value for values in given for value in values)
    names = tuple(sorted(name for name, count in counts.most_common(MOST) if count >= FEWEST))
    place = {name: number for number, name in enumerate(names)}
    labels = np.zeros((len(given), len(names)), dtype=np.float32)
    for row, values in enumerate(given):
        for value in values:
            if value in place:
                labels[row, place[value]] = 1
    return labels, names
