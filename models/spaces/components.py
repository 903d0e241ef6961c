"""Principal components of a space: what its clusters are made in, and what is kept of a wide layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from attune.models.vectors.products import FloatArray

LEAST_SPREAD = 1e-6  # of a column: below, it is the same for every image and says nothing


@dataclass(frozen=True, eq=False)
class Components:
    """A projection of rows (n, d) to (n, m): less ``mean`` (d,), times ``directions`` (m, d), largest variance first.

    ``directions`` are orthonormal, or of columns that were divided by their ``spread`` first.
    """

    mean: FloatArray
    directions: FloatArray

    def project(self, rows: FloatArray) -> FloatArray:
        """``rows`` (n, d) as float32 (n, m)."""
        return np.asarray((rows - self.mean) @ self.directions.T, dtype=np.float32)

    def to_bytes(self) -> bytes:
        """The components as safetensors; the same components give the same bytes."""
        return save({"mean": self.mean, "directions": self.directions})

    @classmethod
    def from_bytes(cls, content: bytes) -> Components:
        """The components that ``to_bytes`` wrote."""
        held = load(content)
        return cls(held["mean"], held["directions"])


def principal_components(blocks: Iterable[FloatArray], count: int, standardise: bool = False) -> Components:
    """At most ``count`` components of the rows in ``blocks`` (n_i, d), which are read once.

    ``standardise`` divides each column by its standard deviation first, so that no loud channel outvotes the others.
    Each direction's largest entry is positive, so the same rows give the same components.
    """
    total, sums, products = 0, None, None
    for block in blocks:
        rows = block.astype(np.float64)
        total += len(rows)
        sums = rows.sum(axis=0) if sums is None else sums + rows.sum(axis=0)
        products = rows.T @ rows if products is None else products + rows.T @ rows
    if sums is None or products is None or not total:
        raise ValueError("no rows to find components of")
    mean = sums / total
    covariance = products / total - np.outer(mean, mean)
    spread: npt.NDArray[np.float64] = np.ones(len(mean))
    if standardise:
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        spread = np.where(deviation > LEAST_SPREAD, deviation, np.inf)
    _, vectors = np.linalg.eigh(covariance / np.outer(spread, spread))
    directions = vectors[:, ::-1].T[: min(count, len(mean))]
    largest = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    directions = directions * np.where(largest < 0, -1, 1)[:, None] / spread
    return Components(mean.astype(np.float32), np.ascontiguousarray(directions, dtype=np.float32))
