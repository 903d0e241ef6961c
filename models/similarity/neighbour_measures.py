"""How good lists of similar assets are, by weak labels: all figures of one query each, so that they can be resampled.

Recall at ten says nothing here: with genres, four in ten assets share one with any other, so ten can never be more
than one in a hundred of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.similarity.label_overlap import jaccard
from attune.models.similarity.neighbour_lists import NEAREST, blocks, leading

Floats = npt.NDArray[np.float64]
FIGURES = ("precision", "ndcg", "map_at_r", "macro_precision")


@dataclass(frozen=True, eq=False)
class ListMeasures:
    """Figures of n queries; those without a label are NaN.

    ``precision`` (n,) share of the ten that share a label; ``ndcg`` (n,) with the Jaccard overlap as gain (Järvelin
    and Kekäläinen 2002); ``map_at_r`` (n,) mean average precision at R (Musgrave et al. 2020); ``by_label`` (n, k)
    share of the ten with the label, NaN where the query lacks it; ``shown`` (n,) in how many lists each asset is.
    """

    precision: Floats
    ndcg: Floats
    map_at_r: Floats
    by_label: Floats
    shown: npt.NDArray[np.intp]

    def figure(self, name: str, weights: Floats | None = None) -> Floats:
        """One of ``FIGURES``, a float64 array (): or (draws,) with ``weights`` (draws, n) of resampled queries."""
        weights = np.ones((1, len(self.precision))) if weights is None else weights
        if name == "macro_precision":
            labels = [_mean(self.by_label[:, k], weights) for k in range(self.by_label.shape[1])]
            return np.asarray(np.nanmean(labels, axis=0)).squeeze()
        return np.asarray(_mean(getattr(self, name), weights)).squeeze()

    @property
    def largest_in_degree(self) -> int:
        """The most lists that one asset is in: large where a few are near to everything."""
        return int(self.shown.max(initial=0))

    def figures(self) -> dict[str, float]:
        """All of ``FIGURES`` by name."""
        return {name: float(self.figure(name)) for name in FIGURES}


def measure_lists(
    vectors: npt.NDArray[np.float32],
    titles: npt.ArrayLike,
    labels: npt.ArrayLike,
    costs: npt.NDArray[np.float32] | None = None,
    whole: bool = True,
) -> ListMeasures:
    """Every asset's list among all others of other titles, measured by ``labels`` (n, k) multi-hot.

    ``vectors`` (n, d) of unit length, ``costs`` (n,) as ``neighbour_lists.blocks`` takes them. Without
    ``whole`` only the ten are ranked, in a third of the time, and ``map_at_r`` is NaN.
    """
    given = np.asarray(labels, dtype=np.float32)
    n = len(given)
    parts, shown = [], np.zeros(n, dtype=np.intp)
    for rows, near in blocks(vectors, titles, costs):
        allowed = np.isfinite(near)
        gains = np.where(allowed, jaccard(given[rows], given), 0)
        top = leading(near)
        kept = np.take_along_axis(allowed, top, axis=1)
        shown += np.bincount(top[kept], minlength=n)
        shares = (given[top] * kept[..., None]).sum(axis=1) / NEAREST
        has = given[rows] > 0
        part = (
            *_of_ten(gains, top),
            _map_at_r(near, gains > 0) if whole else np.full(len(rows), np.nan),
            np.where(has, shares, np.nan),
        )
        none = ~has.any(axis=1)
        for figure in part:
            figure[none] = np.nan
        parts.append(part)
    precision, ndcg, map_at_r, by_label = (np.concatenate(figure) for figure in zip(*parts, strict=True))
    return ListMeasures(precision, ndcg, map_at_r, by_label, shown)


def _of_ten(gains: npt.NDArray[np.float32], top: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    discount = 1 / np.log2(np.arange(2, top.shape[1] + 2))
    got = np.take_along_axis(gains, top, axis=1)
    best = -np.partition(-gains, top.shape[1] - 1, axis=1)[:, : top.shape[1]]
    ideal = (-np.sort(-best, axis=1) * discount).sum(axis=1)
    return (got > 0).sum(axis=1) / NEAREST, (got * discount).sum(axis=1) / np.where(ideal > 0, ideal, 1)


def _map_at_r(near: npt.NDArray[np.float32], relevant: npt.NDArray[np.bool_]) -> Floats:
    order = np.argsort(-near, axis=1, kind="stable")
    places = np.arange(1, near.shape[1] + 1)
    wanted = relevant.sum(axis=1)
    hits = np.take_along_axis(relevant, order, axis=1) & (places <= wanted[:, None])
    return np.asarray((np.cumsum(hits, axis=1) / places * hits).sum(axis=1) / np.maximum(wanted, 1))


def _mean(values: Floats, weights: Floats) -> Floats:
    known = np.isfinite(values)
    total = weights[:, known].sum(axis=1)
    return np.asarray(np.where(total > 0, weights[:, known] @ values[known] / np.where(total > 0, total, 1), np.nan))
