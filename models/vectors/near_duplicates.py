"""Pairs of nearly equal vectors, without comparing each with each: random hyperplanes (Charikar, STOC 2002).

Equal vectors are put together first, so that 20,000 blank scans are one vector and no pairs. In the leading components,
less the mean, each hyperplane says on which side of it a vector lies. Vectors with the same sides fall into one bucket,
and only those of a bucket are compared, at most ``COMPARED`` with each. This is done in ``TABLES`` ways, so a pair that
one way parts meets in another. So the work grows with the number of images, and so does the memory: a vector that is
near to many others is kept with the first ``PAIRS`` of them. What is found is exact: every pair is checked in the whole
space. A few pairs near the limit are missed (``benchmarks.duplicates``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from attune.models.spaces.components import principal_components
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

KEPT = 64  # components
FIT = 20_000  # vectors that they are found on
TABLES = 24
IN_A_BUCKET = 8  # vectors, on average
COMPARED = 64  # of the same bucket, with each vector
PAIRS = 32  # that are kept of each vector and those before it
BLOCK = 16_384  # vectors or pairs at once
ROUNDING = 2e-3  # of float16 vectors and of the projection, in squared distance
SEED = 11  # of the stream of random numbers that belongs to this search

Step = Callable[[], None]
Pairs = npt.NDArray[np.intp]
Codes = npt.NDArray[np.int64]  # a pair as one number: its later row times the number of rows, and its earlier row


@dataclass(frozen=True, eq=False)
class Near:
    """``pairs`` (m, 2) of pool indices, the smaller first, with their ``cosines`` (m,), and ``equal`` (k, 2).

    ``equal`` has a row for each vector that an image before it has, too: the first such image, and this one. Of equal
    vectors only the first is in ``pairs``.
    """

    pairs: Pairs
    cosines: FloatArray
    equal: Pairs


def near_pairs(pool: Pool, among: npt.NDArray[np.bool_], least: float, seed: int = 0, step: Step | None = None) -> Near:
    """What has a cosine of at least ``least``: equal vectors, and pairs of different ones.

    ``among`` (N,) bool says which may be found; ``step`` is called `TABLES` times. The same vectors and seed give the
    same pairs.
    """
    everyone = np.flatnonzero(among).astype(np.intp)
    index, equal = _one_of_each(pool, everyone)
    rng = np.random.default_rng([seed, SEED])
    rows = _projected(pool, index, rng) if len(index) > 1 else np.zeros((0, 1), dtype=np.float32)
    bits = int(np.clip(np.ceil(np.log2(max(len(rows), 1) / IN_A_BUCKET)), 1, 30))
    found: Codes = np.zeros(0, dtype=np.int64)
    for _ in range(TABLES):
        if len(rows):
            planes = rng.standard_normal((rows.shape[1], bits + 1)).astype(np.float32)
            found = _first_of_each(np.union1d(found, _of_one_table(rows, planes, 2 - 2 * least + ROUNDING)), len(rows))
        if step is not None:
            step()
    later, earlier = np.divmod(found, max(len(rows), 1))
    pairs = index[np.stack([earlier, later], axis=1)]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    cosines = _cosines(pool, pairs)
    near = cosines >= least
    return Near(pairs[near], cosines[near], equal)


def _one_of_each(pool: Pool, index: IntArray) -> tuple[IntArray, Pairs]:
    """The first of ``index`` (n,) with each vector, and for all others the first with the same vector and this one."""
    first: dict[bytes, int] = {}
    equal: list[tuple[int, int]] = []
    for start in range(0, len(index), BLOCK):
        part = index[start : start + BLOCK]
        for place, row in zip(part.tolist(), pool.rows(part), strict=True):
            before = first.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), place)
            if before != place:
                equal.append((before, place))
    return np.array(list(first.values()), dtype=np.intp), np.array(equal, dtype=np.intp).reshape(-1, 2)


def _first_of_each(found: Codes, count: int) -> Codes:
    """Of ``found`` (m,), ascending, of ``count`` rows: for each later row the ``PAIRS`` earliest."""
    later = found // count
    _, start, many = np.unique(later, return_index=True, return_counts=True)
    return found[np.arange(len(found)) - np.repeat(start, many) < PAIRS]


def _projected(pool: Pool, index: IntArray, rng: np.random.Generator) -> FloatArray:
    sample = np.sort(rng.choice(index, min(FIT, len(index)), replace=False, shuffle=False))
    components = principal_components([pool.rows(sample)], KEPT)
    parts = [components.project(pool.rows(index[start : start + BLOCK])) for start in range(0, len(index), BLOCK)]
    return np.concatenate(parts)


def _of_one_table(rows: FloatArray, planes: FloatArray, most: float) -> Codes:
    """Pairs of the same bucket with a squared distance of at most ``most``: a projection makes no distance longer."""
    at = rows @ planes
    sides = (at[:, :-1] > 0) @ (1 << np.arange(planes.shape[1] - 1, dtype=np.int64))
    # Within a bucket in the order along one more direction, as in a large one only neighbours are compared.
    order = np.lexsort((at[:, -1], sides))
    sides = sides[order]
    found: list[Codes] = []
    left: IntArray = np.arange(len(order), dtype=np.intp)
    for apart in range(1, COMPARED + 1):
        left = left[left + apart < len(order)]
        left = left[sides[left] == sides[left + apart]]
        if not len(left):
            break
        for start in range(0, len(left), BLOCK):
            a, b = order[left[start : start + BLOCK]], order[left[start : start + BLOCK] + apart]
            difference = rows[a] - rows[b]
            near = np.einsum("ij,ij->i", difference, difference) <= most
            a, b = a[near].astype(np.int64), b[near].astype(np.int64)
            found.append(np.maximum(a, b) * len(rows) + np.minimum(a, b))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _cosines(pool: Pool, pairs: Pairs) -> FloatArray:
    parts = [
        np.einsum("ij,ij->i", pool.rows(some[:, 0]), pool.rows(some[:, 1]))
        for some in (pairs[start : start + BLOCK] for start in range(0, len(pairs), BLOCK))
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
