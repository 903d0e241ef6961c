"""The bytes of a learned space, ``space.safetensors``: read and applied with numpy alone, no vectors are stored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.files import float_tensors
from attune.models.vectors.pool import unit_length

FILE_NAME, MANIFEST_NAME = "space.safetensors", "manifest.json"
# One entry only: the library writes several in any order, and equal spaces must have equal bytes.
_METADATA = {"format": "attune-space-1"}
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LearnedSpace:
    """A space as its file holds it, checked at construction and read-only afterwards; all float32.

    ``mean`` (d,) of the pool; ``components`` (p, d) principal axes; ``projection`` (k, p) what was learned;
    ``blend`` (2,): the share of the raw space in [0, 1], and how much being near to everything costs (0 or more).
    Raises DataError on any other shape or value.
    """

    mean: Floats
    components: Floats
    projection: Floats
    blend: Floats

    def __post_init__(self) -> None:
        for item in fields(self):
            array = np.array(getattr(self, item.name), dtype=np.float32)
            if not np.isfinite(array).all():
                raise DataError(f"{item.name} of the space contains numbers that are not finite. Learn it again.")
            array.setflags(write=False)
            object.__setattr__(self, item.name, array)
        shapes = {item.name: getattr(self, item.name).shape for item in fields(self)}
        fits = (
            self.components.ndim == self.projection.ndim == 2
            and self.mean.shape == (self.components.shape[1],)
            and self.projection.shape[1] == len(self.components)
            and self.blend.shape == (2,)
        )
        if not fits or not 0 <= self.blend[0] <= 1 or self.blend[1] < 0:
            raise DataError(
                f"The space has the shapes {shapes}, blend {self.blend.tolist()}. Expected mean (d,), components "
                "(p, d), projection (k, p), blend (2,) with the first number between 0 and 1, the second 0 or more."
            )

    @property
    def dimension(self) -> int:
        """d, the length of the vectors that the space reads."""
        return len(self.mean)

    @property
    def hub_weight(self) -> float:
        """How much being near to everything costs; see ``neighbour_lists.crowding``."""
        return float(self.blend[1])

    def vectors(self, x: npt.ArrayLike) -> Floats:
        """Vectors of the space, float32 (n, k + d) of unit length, of encoder vectors ``x`` (n, d).

        Their products are ``(1 - share) * cosine of what was learned + share * raw cosine``; without a raw share
        they have k numbers. Raises DataError where ``x`` has another shape.
        """
        rows = self._checked(x)
        return self._blended(((rows - self.mean) @ self.components.T) @ self.projection.T, rows)

    def steady_vectors(self, x: npt.ArrayLike) -> Floats:
        """The same, added up in float64, so that a vector alone is what it is in a batch. Raises as ``vectors``."""
        rows = self._checked(x)
        return self._blended((rows.astype(np.float64) - self.mean) @ self._whole, rows)

    @cached_property
    def _whole(self) -> npt.NDArray[np.float64]:
        """Components and projection in one (d, k)."""
        return (self.projection.astype(np.float64) @ self.components).T

    def _checked(self, x: npt.ArrayLike) -> Floats:
        rows = np.asarray(x, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise DataError(
                f"The vectors have shape {rows.shape}, but the space expects (n, {self.dimension}). Use vectors of "
                "the encoder in the space's manifest.json."
            )
        return rows

    def _blended(self, projected: npt.NDArray[np.floating], rows: Floats) -> Floats:
        """What was learned of ``rows``, beside them as the blend says."""
        learned, share = unit_length(projected), float(self.blend[0])
        if share == 0:
            return learned
        return np.hstack([np.sqrt(1 - share) * learned, np.sqrt(share) * unit_length(rows)]).astype(np.float32)


def space_bytes(space: LearnedSpace) -> bytes:
    """The content of ``space.safetensors``; equal numbers give equal bytes."""
    return float_tensors.to_bytes(space, _METADATA)


def read_space(content: bytes, name: str = FILE_NAME) -> LearnedSpace:
    """The space that ``content`` holds; ``name`` is what to call it in an error.

    Raises DataError where the bytes are not safetensors, or tensors are missing, of another dtype or shape.
    """
    again = "Pull it again, or publish the space again."
    try:
        return float_tensors.read(content, LearnedSpace)
    except float_tensors.NotTensors as error:
        raise DataError(f"{name} is not a safetensors file. {again}") from error
    except float_tensors.OtherTensors as error:
        raise DataError(f"{name} {error} {again}") from error
