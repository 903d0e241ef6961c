"""Two clusterings beside each other, also of two spaces: how far they agree, and where each cluster's images went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import adjusted_rand_score

from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members
from attune.models.errors import DataError
from attune.models.spaces.matching import jaccard, pairs

MOST = 3  # clusters that a cluster's images went to
LEAST = 0.05  # of its images: less is not worth a line


@dataclass(frozen=True)
class Went:
    """Where the ``size`` shared images of cluster ``number`` are in the other clustering: (number, share), most first.

    ``same`` is the number of the cluster that is the same one there, None where there is none; ``overlap`` their
    Jaccard overlap.
    """

    number: int
    name: str
    size: int
    same: int | None
    overlap: float
    to: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Comparison:
    """The ``images`` that both hold, their adjusted Rand index (1: the same groups, 0: chance), and each cluster."""

    images: int
    agreement: float
    clusters: Sequence[Went]


def compare(settings: Settings, first: int, second: int) -> Comparison:
    """Clustering ``first`` beside ``second``. Raises DataError where one does not exist or they share no image."""
    with reading(settings) as session:
        one, other = clusterings.find(session, first), clusterings.find(session, second)
    a, b = members.load(settings, one.row.file), members.load(settings, other.row.file)
    _, rows, columns = np.intersect1d(a.keys, b.keys, assume_unique=True, return_indices=True)
    if not len(rows):
        raise DataError(f"Clusterings {first} and {second} share no image. Compare clusterings of the same images.")
    shared = clusterings.overlap(a, b, (len(one.clusters), len(other.clusters)))
    overlap, same = jaccard(shared), dict(pairs(shared))
    found = []
    for cluster in one.clusters:
        counts = shared[cluster.place]
        size = int(counts.sum())
        order = np.argsort(-counts, kind="stable")[:MOST]
        to = [(other.clusters[int(place)].number, float(counts[place] / size)) for place in order if size]
        there = same.get(cluster.place)
        found.append(
            Went(
                cluster.number, cluster.name, size,
                None if there is None else other.clusters[there].number,
                0.0 if there is None else float(overlap[cluster.place, there]),
                [(number, share) for number, share in to if share >= LEAST],
            )
        )  # fmt: skip
    return Comparison(len(rows), float(adjusted_rand_score(a.places[rows], b.places[columns])), found)
