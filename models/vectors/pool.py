"""One attribute's view on the vectors: ids, titles and mapped matrices, nothing copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError, EmptyPool
from attune.models.threads import one_thread
from attune.models.vectors.id_index import IdIndex
from attune.models.vectors.products import FloatArray, matrix_times_heads

IntArray = npt.NDArray[np.intp]
SAMPLE = 10_000  # assets that suffice for the pool's mean
AT_ONCE = 8_192  # rows that are scaled or scored at a time: a multiple of 16, as BLAS takes rows


@dataclass(frozen=True, eq=False)
class Pool:
    """The assets that one attribute may ask about, and their unit-length vectors.

    ``asset_ids`` and ``title_ids`` (N,) str; ``blocks`` are (n_i, d) float16 or float32, memory-mapped, whose
    concatenation has the order of ``asset_ids``. Raises DataError where lengths or dimensions disagree.
    """

    asset_ids: npt.NDArray[np.str_]
    title_ids: npt.NDArray[np.str_]
    blocks: tuple[npt.NDArray[Any], ...]

    def __post_init__(self) -> None:
        n = sum(len(block) for block in self.blocks)
        if not len(self.asset_ids) == len(self.title_ids) == n:
            raise DataError(
                f"The pool has {len(self.asset_ids)} asset ids, {len(self.title_ids)} title ids and {n} "
                "vectors. Expected one of each per asset, in the same order."
            )
        dims = {block.shape[1:] for block in self.blocks}
        if len(dims) > 1 or any(len(shape) != 1 for shape in dims):
            raise DataError(
                f"The pool's blocks have rows of the shapes {sorted(dims)}. Expected (d,) with the same d. "
                "Vectors of different encoders cannot be mixed: embed the assets again with one encoder."
            )

    @classmethod
    def of(cls, asset_ids: Sequence[str], vectors: npt.ArrayLike, title_ids: Sequence[str] | None = None) -> Pool:
        """A pool of arrays: ``asset_ids`` (N,), ``vectors`` (N, d) of any length, which become float32 of length 1.

        ``title_ids`` (N,) say which images belong together, so that no title is both trained and measured on; without
        them each image is a title of its own. Raises DataError where lengths disagree or an id appears twice. For
        example::

            pool = attune.Pool.of(["a1", "a2"], vectors, title_ids=["film-1", "film-1"])
        """
        ids = np.asarray(asset_ids, dtype=np.str_)
        if len(np.unique(ids)) != len(ids):
            raise DataError(f"{len(ids) - len(np.unique(ids))} asset ids appear more than once; each may appear once.")
        rows = np.asarray(vectors, dtype=np.float32)
        if rows.ndim != 2:
            raise DataError(f"The vectors have the shape {rows.shape}; expected (N, d), a row for each asset.")
        return cls(ids, ids if title_ids is None else np.asarray(title_ids, dtype=np.str_), (unit_length(rows),))

    def __len__(self) -> int:
        return len(self.asset_ids)

    @property
    def dim(self) -> int:
        """The length d of a vector. Raises EmptyPool where the pool holds no block."""
        return self._width

    @property
    def _width(self) -> int:
        """How many numbers a row of the blocks has. Raises EmptyPool where there is no block."""
        if not self.blocks:
            raise EmptyPool("The pool has no vectors. Add images first: `attune assets add PATH`")
        return int(self.blocks[0].shape[1])

    @cached_property
    def _starts(self) -> IntArray:
        return np.cumsum([0, *(len(block) for block in self.blocks)], dtype=np.intp)

    @cached_property
    def _by_id(self) -> IdIndex:
        return IdIndex(self.asset_ids)

    def positions(self, asset_ids: Iterable[str]) -> IntArray:
        """The indices of ``asset_ids`` (m,) intp, -1 where an asset is not in the pool (any more)."""
        return self._by_id.rows(asset_ids)

    def rows(self, index: npt.ArrayLike) -> FloatArray:
        """The vectors at ``index`` (m,): float32 (m, d), scaled back to unit length after float16."""
        index = np.asarray(index, dtype=np.intp)
        out = np.empty((len(index), self._width), dtype=np.float32)
        for start in range(0, len(index), AT_ONCE):
            some, part = index[start : start + AT_ONCE], out[start : start + AT_ONCE]
            owner = np.searchsorted(self._starts, some, side="right") - 1
            for number in np.unique(owner):
                mine = owner == number
                part[mine] = self.blocks[number][some[mine] - self._starts[number]]
            part[:] = unit_length(part)  # a part at a time: of all rows it would take three times their memory
        return out

    def logits_at(self, index: npt.ArrayLike, weight: FloatArray, bias: FloatArray) -> npt.NDArray[Any]:
        """``rows(index) @ weight.T + bias`` (m, k), a part at a time: the vectors of 400,000 images are 800 MB.

        The same to the last bit as of all rows at once in one thread, so that two processes give a review the same
        figures. BLAS takes some rows of a matrix at a time and the last few otherwise:
        parts begin at multiples of ``AT_ONCE``, none is small beside others, and one head is left to one thread, as
        threads would divide its rows anywhere.
        """
        index = np.asarray(index, dtype=np.intp)
        cuts = [*range(0, max(len(index) - AT_ONCE, 1), AT_ONCE), len(index)]
        with one_thread() if len(weight) == 1 else nullcontext():
            parts = [self.rows(index[start:stop]) @ weight.T + bias for start, stop in pairwise(cuts)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def logits(self, weight: FloatArray, bias: FloatArray) -> FloatArray:
        """``x.w + b`` of every asset for every head: ``weight`` (k, d), ``bias`` (k,); returns float32 (N, k)."""
        weight = np.atleast_2d(np.asarray(weight, dtype=np.float32))
        parts = [matrix_times_heads(block, weight) for block in self.blocks]
        scores = parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty((0, len(weight)), dtype=np.float32)])
        scores += np.asarray(bias, dtype=np.float32)
        return scores

    @cached_property
    def centre(self) -> FloatArray:
        """The mean vector (d,) of at most ``SAMPLE`` assets, the same ones for the same length of pool."""
        rows = self.rows(self.sample(SAMPLE, np.random.default_rng(len(self))))
        return rows.mean(axis=0) if len(rows) else np.zeros(self.dim, dtype=np.float32)

    @cached_property
    def variance(self) -> float:
        """The mean squared distance from ``centre``, in (0, 1]: encoders differ in how narrow a cone they fill."""
        return float(np.clip(1 - self.centre @ self.centre, 1e-3, 1)) if len(self) else 1.0

    def sample(self, size: int, rng: np.random.Generator) -> IntArray:
        """At most ``size`` distinct indices, drawn uniformly, in ascending order."""
        if size >= len(self):
            return np.arange(len(self), dtype=np.intp)
        # Floyd's set needs no permutation of the pool, which would cost more than scoring it.
        return np.sort(rng.choice(len(self), size=size, replace=False, shuffle=False)).astype(np.intp)


def unit_length(vectors: npt.NDArray[Any]) -> FloatArray:
    """Rows scaled to length 1, float32; a row of zeros stays zeros."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: FloatArray = vectors / np.where(norms > 0, norms, 1)
    return scaled
