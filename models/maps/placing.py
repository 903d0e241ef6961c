"""Images placed on a map among its landmarks, which stay where they are.

An image goes where most of its nearest landmarks are: of the nearest ten the one that is nearest to the others on the
plane, and then to the mean of those around it. A plain mean of all ten would put an image that is between two groups
into the empty space between them. All of it is in whole numbers or in single operations on floats, row by row, so the
place of an image depends on the landmarks alone: never on what else is placed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save
from threadpoolctl import threadpool_limits

from attune.models.errors import DataError
from attune.models.maps.fixed_point import IntRows, WholeComponents
from attune.models.maps.nearest import nearest
from attune.models.vectors.products import FloatArray

Places = npt.NDArray[np.uint16]
NEAREST = 10  # landmarks that say where an image goes
AROUND = 1_500  # units of the plane (it is 65,535 wide): those of them that far from the middle one count
THREADS = 2
KEYS = frozenset({"directions", "offset", "step", "components", "positions"})


@dataclass(frozen=True, eq=False)
class Landmarks:
    """A map's fixed points: their ``components`` (l, m) and ``positions`` (l, 2), and the projection of others."""

    whole: WholeComponents
    components: IntRows
    positions: Places

    def place(self, rows: FloatArray, threads: int = THREADS) -> Places:
        """Positions (n, 2) of unit vectors ``rows`` (n, d). Raises DataError where the vectors have another length."""
        if rows.shape[1] != self.whole.directions.shape[1]:
            raise DataError(
                f"The vectors have {rows.shape[1]} numbers, those of the map have {self.whole.directions.shape[1]}. "
                "Make the map again: `attune map make --anew`"
            )
        out = np.empty((len(rows), 2), dtype=np.uint16)
        with threadpool_limits(threads):
            projected = self.whole.project(rows)
            for where, found, squared in nearest(projected, self.components, NEAREST):
                out[where] = _middle(self.positions[found].astype(np.float64), squared)
        return out

    def to_bytes(self) -> bytes:
        """The landmarks as safetensors; the same landmarks give the same bytes."""
        held = {
            "directions": self.whole.directions,
            "offset": self.whole.offset,
            "step": np.array([self.whole.step]),
            "components": self.components,
            "positions": self.positions,
        }
        return save({name: np.ascontiguousarray(value) for name, value in held.items()})

    @classmethod
    def from_bytes(cls, content: bytes) -> Landmarks:
        """The landmarks that ``to_bytes`` wrote. Raises DataError for other bytes."""
        try:
            held = load(content)
        except Exception as error:  # whatever the library finds wrong with it
            raise DataError("The map's file is damaged. Make the map again: `attune map make --anew`") from error
        if held.keys() != KEYS:
            raise DataError("The map's file is not one of a map. Make the map again: `attune map make --anew`")
        whole = WholeComponents(held["directions"], held["offset"], float(held["step"][0]))
        return cls(whole, held["components"], held["positions"])


def _middle(places: npt.NDArray[np.float64], squared: npt.NDArray[np.float64]) -> Places:
    """Where each row goes (b, 2): ``places`` (b, k, 2) of its nearest landmarks, ``squared`` (b, k) how far they are.

    Sums go column by column: numpy adds up a whole axis in an order that may depend on the number of rows.
    """
    weights = 1 / (1 + squared)
    count = places.shape[1]
    apart = np.sqrt(
        ((places[:, :, None, 0] - places[:, None, :, 0]) ** 2) + (places[:, :, None, 1] - places[:, None, :, 1]) ** 2
    )
    cost = np.zeros(weights.shape)
    for other in range(count):
        cost += weights[:, None, other] * apart[:, :, other]
    middle = cost.argmin(axis=1)
    rows = np.arange(len(places))
    counts = np.where(apart[rows, middle] <= AROUND, weights, 0)
    total, sums = np.zeros(len(places)), np.zeros((len(places), 2))
    for one in range(count):
        total += counts[:, one]
        sums += counts[:, one, None] * places[:, one]
    return np.rint(sums / total[:, None]).astype(np.uint16)
