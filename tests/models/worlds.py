"""Small pools with a known truth, for the learner's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.labels.labels import Labels
from attune.models.vectors.pool import Pool, unit_length


@dataclass(frozen=True, eq=False)
class World:
    """A pool, and each asset's class position (N,)."""

    pool: Pool
    truth: npt.NDArray[np.intp]
    directions: npt.NDArray[np.float32]
    classes: tuple[str, ...]

    def labels(self, index: npt.ArrayLike) -> Labels:
        """What people who know the truth answer about these assets."""
        rows = np.asarray(index, dtype=np.intp)
        return Labels(
            asset_ids=tuple(self.pool.asset_ids[rows].tolist()),
            title_ids=tuple(self.pool.title_ids[rows].tolist()),
            shares=np.eye(len(self.classes))[self.truth[rows]].reshape(len(rows), len(self.classes)),
            weights=np.ones(len(rows)),
        )


def world(n: int = 600, dim: int = 24, classes: int = 2, seed: int = 0, rare: float = 0.2, titles: int = 2) -> World:
    """``n`` assets in noisy clusters, one a class, the first of share ``rare``; ``titles`` images a title."""
    rng = np.random.default_rng(seed)
    names = ("yes", "no") if classes == 2 else tuple(f"class{i}" for i in range(classes))
    share = np.r_[rare, np.full(classes - 1, (1 - rare) / (classes - 1))]
    truth = rng.choice(classes, size=n, p=share)
    directions = unit_length(rng.standard_normal((classes, dim)))
    vectors = unit_length(directions[truth] + 1.2 * unit_length(rng.standard_normal((n, dim)))).astype(np.float16)
    ids = np.array([f"a{i:05d}" for i in range(n)])
    title_ids = np.array([f"t{i // titles:05d}" for i in range(n)])
    pool = Pool(ids, title_ids, (vectors[: n // 3], vectors[n // 3 :]))
    return World(pool, truth.astype(np.intp), directions, names)
