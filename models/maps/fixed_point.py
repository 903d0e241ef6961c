"""Unit vectors as whole numbers in a few components, so that sums of them are exact.

A float sum depends on the order of its terms, and that on how many rows are multiplied at once and by how many threads.
Whole numbers below 2**53 (2**24 in float32) are exact in any order. So an image has the same components, and the same
nearest landmarks, alone or among a million others, on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.spaces.components import Components
from attune.models.vectors.products import FloatArray

IntRows = npt.NDArray[np.int16]
KEPT = 64  # components
LARGEST = 511  # of a component: 64 products of two such numbers are below 2**24, exact in float32
ROW_SCALE = 1 << 14  # of a unit vector's entries, which are at most 1
DIRECTION_SCALE = 1 << 12


@dataclass(frozen=True, eq=False)
class WholeComponents:
    """A projection of unit vectors (n, d) to whole numbers (n, m) from -511 to 511.

    ``directions`` (m, d) int16, ``offset`` (m,) float64 whole numbers that are taken off, ``step`` what a unit of a
    component was before.
    """

    directions: IntRows
    offset: npt.NDArray[np.float64]
    step: float

    @classmethod
    def of(cls, components: Components, rows: FloatArray) -> WholeComponents:
        """The projection by ``components`` in which the largest component of ``rows`` (n, d) is 511."""
        directions = np.rint(components.directions * DIRECTION_SCALE).astype(np.int16)
        mean = np.rint(components.mean.astype(np.float64) * ROW_SCALE)
        offset = directions.astype(np.float64) @ mean
        sums = _whole(rows) @ directions.astype(np.float64).T - offset
        largest = float(np.abs(sums).max(initial=0))
        return cls(directions, offset, max(largest / LARGEST, 1.0))

    def project(self, rows: FloatArray) -> IntRows:
        """``rows`` (n, d) of unit length as int16 (n, m); what lies beyond 511 counts as 511."""
        sums = _whole(rows) @ self.directions.astype(np.float64).T - self.offset
        return np.clip(np.rint(sums / self.step), -LARGEST, LARGEST).astype(np.int16)


def _whole(rows: FloatArray) -> npt.NDArray[np.float64]:
    return np.rint(np.asarray(rows, dtype=np.float64) * ROW_SCALE)
