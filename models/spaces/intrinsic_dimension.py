"""How many dimensions a space really uses: TwoNN and maximum likelihood over scales, finite also with duplicates.

TwoNN: Facco et al., Scientific Reports 7, 12140 (2017). Maximum likelihood: Levina and Bickel, NIPS 2004, with the
inverses averaged as MacKay and Ghahramani note (2005). Participation ratio: of the covariance's eigenvalues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from attune.models.vectors.products import FloatArray

SCALES = (5, 10, 20, 50)  # neighbours: a small number sees fine structure, a large one the whole
LEAST = 100  # distinct vectors; of fewer, neighbours are too far away to tell a dimension
DISCARDED = 0.1  # of the largest ratios: the tail that Facco et al. leave out, where noise and edges are
SAMPLE = 5_000  # vectors that suffice
CLOSEST = 1e-4  # times the median distance: nearer than this is the same image, saved twice


@dataclass(frozen=True)
class IntrinsicDimension:
    """The estimates of ``images`` vectors, of which ``duplicates`` were left out.

    ``two_nn`` and ``likelihood`` (by number of neighbours) are dimensions; None where too few vectors are distinct.
    """

    images: int
    duplicates: int
    two_nn: float | None
    likelihood: dict[int, float]
    participation_ratio: float | None

    def to_dict(self) -> dict[str, Any]:
        """The estimates as JSON holds them."""
        return vars(self) | {"likelihood": {str(scale): value for scale, value in self.likelihood.items()}}


def estimate(rows: FloatArray, scales: Sequence[int] = SCALES) -> IntrinsicDimension:
    """The intrinsic dimension of ``rows`` (n, d); give a sample of at most some thousand, as all pairs are compared.

    Duplicates are left out before anything is measured: a distance of zero has no logarithm.
    """
    distinct = _distinct(np.asarray(rows, dtype=np.float32))
    left_out = len(rows) - len(distinct)
    if len(distinct) < LEAST:
        return IntrinsicDimension(len(rows), left_out, None, {}, None)
    usable = [scale for scale in scales if scale < len(distinct)]
    distances = _neighbour_distances(distinct, max([2, *usable]))
    likelihood = {scale: maximum_likelihood(distances[:, :scale]) for scale in usable}
    return IntrinsicDimension(len(rows), left_out, two_nn(distances), likelihood, participation_ratio(distinct))


def two_nn(distances: npt.NDArray[np.float64]) -> float:
    """The dimension by the ratio of the second to the first ``distances`` (n, >= 2), which are positive.

    The slope through the origin of -log(1 - F) against log(ratio), without the largest ratios.
    """
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    n = len(ratios)
    kept = int(n * (1 - DISCARDED))
    heights = -np.log1p(-np.arange(1, kept + 1) / n)
    return float((ratios[:kept] @ heights) / (ratios[:kept] @ ratios[:kept]))


def maximum_likelihood(distances: npt.NDArray[np.float64]) -> float:
    """The dimension by the ``distances`` (n, k) to the k nearest, ascending and positive."""
    k = distances.shape[1]
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).sum(axis=1) / (k - 1)
    return float(1 / inverse.mean())


def participation_ratio(rows: FloatArray) -> float:
    """(sum of the covariance's eigenvalues) squared, over the sum of their squares: how many directions carry it."""
    centred = rows - rows.mean(axis=0)
    smaller = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T
    return float(np.trace(smaller) ** 2 / (smaller**2).sum())


def _distinct(rows: FloatArray) -> FloatArray:
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)]


def _neighbour_distances(rows: FloatArray, k: int) -> npt.NDArray[np.float64]:
    """Ascending distances (m, k) to the k nearest others; rows that have one too near count as duplicates too."""
    found, _ = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors()
    distances: npt.NDArray[np.float64] = np.asarray(found, dtype=np.float64)
    least = CLOSEST * float(np.median(distances[:, 0]))
    return distances[distances[:, 0] > least]
