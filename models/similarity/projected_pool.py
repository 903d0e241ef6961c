"""A pool as a learned space sees it: the encoder's mapped vectors, projected when they are read. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.similarity.space_files import FILE_NAME, LearnedSpace
from attune.models.similarity.space_manifest import SpaceManifest
from attune.models.vectors.pool import Pool
from attune.models.vectors.products import FloatArray

VIEW, VERSION = "projection", "version"
STEP = 8_192  # vectors held as float32 at once


@dataclass(frozen=True, eq=False)
class ProjectedPool(Pool):
    """A ``Pool`` whose rows are those of ``space``; ``blocks`` stay the encoder's own vectors."""

    space: LearnedSpace

    @property
    def dim(self) -> int:
        """The length of a vector of the space. Raises EmptyPool where the pool holds no block."""
        return dimension_of(self.space) if self._width else 0

    def rows(self, index: npt.ArrayLike) -> FloatArray:
        """The vectors of the space at ``index`` (m,): float32 (m, dim) of unit length, the same in any batch, as a map
        needs them."""
        return self.space.steady_vectors(super().rows(index))

    def logits(self, weight: FloatArray, bias: FloatArray) -> FloatArray:
        """``x.w + b`` of every asset's vector of the space: ``weight`` (k, dim), ``bias`` (k,); float32 (N, k)."""
        weight = np.atleast_2d(np.asarray(weight, dtype=np.float32))
        scores = np.empty((len(self), len(weight)), dtype=np.float32)
        for start, stop in pairwise([*range(0, len(self), STEP), len(self)]):
            scores[start:stop] = self.rows(np.arange(start, stop)) @ weight.T
        scores += np.asarray(bias, dtype=np.float32)
        return scores


def dimension_of(space: LearnedSpace) -> int:
    """How many numbers a vector of ``space`` has."""
    return len(space.projection) + (space.dimension if space.blend[0] else 0)


def fingerprint(base: Fingerprint, manifest: SpaceManifest, space: LearnedSpace) -> Fingerprint:
    """The fingerprint of a version's vectors: what makes those that it reads, which version, and its file's sha256."""
    digest = manifest.files[FILE_NAME].sha256
    view = {"view": VIEW, "space": manifest.facts.name, VERSION: manifest.version, "sha256": digest}
    preprocessing = {**base.preprocessing, **view}
    return Fingerprint(base.library, base.model, base.weights, dimension_of(space), True, preprocessing)


def version_of(made: Fingerprint) -> int | None:
    """The version of a learned space whose vectors have this fingerprint; None of other vectors."""
    return made.preprocessing[VERSION] if made.preprocessing.get("view") == VIEW else None
