"""Pairs of nearly equal vectors, without comparing each with each: random hyperplanes (Charikar, STOC 2002).

In the leading components, less the mean, each hyperplane says on which side of it a vector lies. Vectors with the same
sides fall into one bucket, and only those of a bucket are compared, at most ``COMPARED`` with each. This is done in
``TABLES`` ways, so a pair that one way parts meets in another. So the work grows with the number of images. What is
found is exact: every pair is checked in the whole space. A few pairs near the limit are missed
(``benchmarks.duplicates``).
"""

from __future__ import annotations

from collections.abc import Callable

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
BLOCK = 16_384  # vectors or pairs at once
ROUNDING = 2e-3  # of float16 vectors and of the projection, in squared distance
SEED = 11  # of the stream of random numbers that belongs to this search

Step = Callable[[], None]
Pairs = npt.NDArray[np.intp]


def near_pairs(
    pool: Pool, among: npt.NDArray[np.bool_], least: float, seed: int = 0, step: Step | None = None
) -> tuple[Pairs, FloatArray]:
    """Pairs of pool indices (m, 2), the smaller first, whose cosine is at least ``least``, and the cosines (m,).

    ``among`` (N,) bool says which may be found; ``step`` is called `TABLES` times. The same vectors and seed give the
    same pairs.
    """
    index = np.flatnonzero(among).astype(np.intp)
    rng = np.random.default_rng([seed, SEED])
    rows = _projected(pool, index, rng) if len(index) > 1 else np.zeros((0, 1), dtype=np.float32)
    bits = int(np.clip(np.ceil(np.log2(max(len(rows), 1) / IN_A_BUCKET)), 1, 30))
    found: list[Pairs] = []
    for _ in range(TABLES):
        if len(rows):
            planes = rng.standard_normal((rows.shape[1], bits + 1)).astype(np.float32)
            found.append(_of_one_table(rows, planes, 2 - 2 * least + ROUNDING))
        if step is not None:
            step()
    pairs = np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), dtype=np.intp)
    pairs = index[pairs]
    cosines = _cosines(pool, pairs)
    near = cosines >= least
    return pairs[near], cosines[near]


def _projected(pool: Pool, index: IntArray, rng: np.random.Generator) -> FloatArray:
    sample = np.sort(rng.choice(index, min(FIT, len(index)), replace=False, shuffle=False))
    components = principal_components([pool.rows(sample)], KEPT)
    parts = [components.project(pool.rows(index[start : start + BLOCK])) for start in range(0, len(index), BLOCK)]
    return np.concatenate(parts)


def _of_one_table(rows: FloatArray, planes: FloatArray, most: float) -> Pairs:
    """Pairs of the same bucket with a squared distance of at most ``most``: a projection makes no distance longer."""
    at = rows @ planes
    sides = (at[:, :-1] > 0) @ (1 << np.arange(planes.shape[1] - 1, dtype=np.int64))
    # Within a bucket in the order along one more direction, as in a large one only neighbours are compared.
    order = np.lexsort((at[:, -1], sides))
    sides = sides[order]
    found: list[Pairs] = []
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
            found.append(np.sort(np.stack([a[near], b[near]], axis=1), axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=np.intp)


def _cosines(pool: Pool, pairs: Pairs) -> FloatArray:
    parts = [
        np.einsum("ij,ij->i", pool.rows(some[:, 0]), pool.rows(some[:, 1]))
        for some in (pairs[start : start + BLOCK] for start in range(0, len(pairs), BLOCK))
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def groups_of(pairs: Pairs, cosines: npt.NDArray[np.floating]) -> list[list[tuple[int, float]]]:
    """Groups around one image each: (index, cosine to the first), the nearest first; the first has the cosine 1.

    Each image is in one group, and every member is a near duplicate of the first: no chain of small steps leads from
    one picture to quite another.
    """
    beside: dict[int, dict[int, float]] = {}
    for (a, b), cosine in zip(pairs.tolist(), cosines.tolist(), strict=True):
        beside.setdefault(a, {})[b] = cosine
        beside.setdefault(b, {})[a] = cosine
    taken: set[int] = set()
    groups: list[list[tuple[int, float]]] = []
    for first in sorted(beside, key=lambda one: (-len(beside[one]), one)):
        members = [] if first in taken else [(one, near) for one, near in beside[first].items() if one not in taken]
        if members:
            groups.append([(first, 1.0), *sorted(members, key=lambda one: (-one[1], one[0]))])
            taken.update(one for one, _ in groups[-1])
    return groups
