"""Which clusters of a new clustering are those of the one before, so that numbers and names live on.

Pairs are matched one to one with the largest sum of Jaccard overlaps (Kuhn 1955, scipy's ``linear_sum_assignment``).
A pair of little overlap is no pair: a name would move to images that nobody gave it to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SAME = 1 / 3  # Jaccard: two clusters of one size that share half of their images each
LOOSE = 0.5  # a mean overlap below this: another sample of the pool would make another cluster (Hennig 2007)
PIECE = 1 / 4  # of a cluster's images: less is no piece that it split into

Labels = npt.NDArray[np.integer[Any]]
FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lineage:
    """What became of the clusters before: ``numbers`` of the new ones, in their order, and who came and went.

    ``split``: number before -> numbers now that hold a quarter or more of its images each, where these are two or more.
    ``merged``: number now -> numbers before, likewise.
    """

    numbers: Sequence[int]
    born: Sequence[int]
    died: Sequence[int]
    split: Mapping[int, Sequence[int]]
    merged: Mapping[int, Sequence[int]]


def shared_counts(before: Labels, after: Labels, sizes: tuple[int, int]) -> FloatMatrix:
    """How many assets each pair of clusters shares: (a, b) of ``before`` and ``after`` (n,), labels from 0.

    Only assets that both clusterings hold belong in the two arrays.
    """
    flat = before.astype(np.intp) * sizes[1] + after
    return np.bincount(flat, minlength=sizes[0] * sizes[1]).reshape(sizes).astype(np.float64)


def jaccard(shared: FloatMatrix) -> FloatMatrix:
    """The overlap of each pair (a, b), from 0 to 1: what both hold over what either holds."""
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    overlap: FloatMatrix = shared / np.where(union > 0, union, 1)
    return overlap


def pairs(shared: FloatMatrix, least: float = SAME) -> list[tuple[int, int]]:
    """Clusters before and after that are the same one, each in at most one pair, in the order of the first."""
    from scipy.optimize import linear_sum_assignment  # takes a second to load

    overlap = jaccard(shared)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if overlap[a, b] >= least]


def lineage(shared: FloatMatrix, before: Sequence[int], next_number: int) -> Lineage:
    """The numbers of the new clusters, given those ``before`` (a,); who matches none gets ``next_number`` and on.

    ``next_number`` is above every number ever given, so that none means two clusters.
    """
    kept = {after: before[old] for old, after in pairs(shared)}
    numbers = []
    for place in range(shared.shape[1]):
        if place not in kept:
            kept[place] = next_number
            next_number += 1
        numbers.append(kept[place])
    given = set(before)
    split = _pieces(shared, before, numbers)
    merged = _pieces(shared.T, numbers, before)
    born = [number for number in numbers if number not in given]
    return Lineage(numbers, born, [number for number in before if number not in set(numbers)], split, merged)


def _pieces(shared: FloatMatrix, wholes: Sequence[int], parts: Sequence[int]) -> dict[int, list[int]]:
    totals = shared.sum(axis=1)
    found = {}
    for row, number in enumerate(wholes):
        pieces = [parts[column] for column in np.flatnonzero(shared[row] >= PIECE * max(totals[row], 1))]
        if len(pieces) > 1:
            found[number] = pieces
    return found
