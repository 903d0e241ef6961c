"""How varied the labelled set is, and where in the pool no one has looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from attune.models.query.strategies.spread import clustered
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

CLUSTERS = 10
ENOUGH = 10  # labels of one side in a cluster that count in full


def diversity_score(vectors: npt.NDArray[Any], positive: npt.ArrayLike, seed: int = 0) -> float:
    """Video Annotator's data diversity in [0, 1] (arXiv 2402.06560, section 4.4): k-means of the labelled vectors
    (n, d) into 10 clusters; the sum over clusters of min(positives, 10) + min(negatives, 10), over 200.

    ``positive`` (n,) bool. Fewer than 10 labels make as many clusters as labels.
    """
    flags = np.asarray(positive, dtype=bool)
    if not len(flags):
        return 0.0
    clusters = min(CLUSTERS, len(np.unique(vectors, axis=0)))
    cluster_ids = KMeans(clusters, n_init=3, random_state=seed % 2**32).fit_predict(
        np.asarray(vectors, dtype=np.float32)
    )
    counts = [np.bincount(cluster_ids[side], minlength=clusters) for side in (flags, ~flags)]
    return float(sum(np.minimum(c, ENOUGH).sum() for c in counts) / (2 * ENOUGH * CLUSTERS))


@dataclass(frozen=True)
class Region:
    """A part of the pool: its size as a share of the pool, how many labels fall into it, and typical assets."""

    share: float
    labels: int
    positive: float
    examples: tuple[str, ...]

    @property
    def unseen(self) -> bool:
        """Whether no one has looked here."""
        return self.labels == 0


def coverage(
    pool: Pool, labelled: npt.ArrayLike, positive: npt.ArrayLike, seed: int, regions: int = 24, examples: int = 6
) -> list[Region]:
    """The pool's regions, those least looked at for their size first.

    ``labelled`` (m,) indices with an answer and ``positive`` (m,) their share of the first class, in [0, 1]. The
    regions are k-means clusters of a sample of at most 20,000 assets, so the cost does not grow with the pool.
    """
    if not len(pool):
        return []
    rng = np.random.default_rng([seed, 17])
    index = pool.sample(20_000, rng)
    rows = pool.rows(index)
    model = clustered(rows, min(regions, len(rows)), rng)
    labelled_rows = np.asarray(labelled, dtype=np.intp)
    where = model.predict(pool.rows(labelled_rows)) if len(labelled_rows) else np.empty(0, dtype=np.intp)
    shares = np.asarray(positive, dtype=np.float64)
    region_list = [
        _region(pool, index, rows, model.labels_ == c, model.cluster_centers_[c], shares[where == c], examples)
        for c in range(model.n_clusters)
        if (model.labels_ == c).any()
    ]
    return sorted(region_list, key=lambda region: (region.labels / region.share, -region.share))


def _region(
    pool: Pool,
    index: IntArray,
    rows: FloatArray,
    members: npt.NDArray[np.bool_],
    centre: FloatArray,
    positives: npt.NDArray[np.float64],
    examples: int,
) -> Region:
    mine = np.flatnonzero(members)
    typical = mine[np.argsort(-(rows[mine] @ centre), kind="stable")[:examples]]
    return Region(
        share=float(members.mean()),
        labels=len(positives),
        positive=float(positives.sum()),
        examples=tuple(str(a) for a in pool.asset_ids[index[typical]]),
    )
