"""Clusters of a pool: the same for the same vectors, planted groups found, fewer said where there are fewer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from attune.models.spaces import clustering
from attune.models.spaces.clustering import cluster, nearest_centre, project
from attune.models.spaces.matching import LOOSE
from attune.models.spaces.stability import agreement_by_k, cluster_stability, most_stable
from attune.models.vectors.pool import Pool


def blobs(
    groups: int, each: int, dim: int = 32, noise: float = 0.1, seed: int = 0
) -> tuple[Pool, npt.NDArray[np.intp]]:
    """A pool of ``groups`` far apart, and which group each asset is of."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(groups), each)
    rows = np.eye(dim)[truth] + rng.normal(size=(len(truth), dim), scale=noise)
    order = rng.permutation(len(truth))
    return Pool.of([f"a{i}" for i in range(len(truth))], rows[order]), truth[order]


def everyone(pool: Pool) -> npt.NDArray[np.bool_]:
    return np.ones(len(pool), dtype=np.bool_)


def test_planted_groups_are_found_and_stable() -> None:
    pool, truth = blobs(6, 40)
    projected = project(pool, everyone(pool))
    found = cluster(projected, 6)
    assert adjusted_rand_score(truth, found.labels) == 1
    assert found.sizes.tolist() == sorted(found.sizes.tolist(), reverse=True)
    assert cluster_stability(projected.rows, found.centres).min() > 0.8
    agreement = agreement_by_k(projected.rows, (3, 6, 12))
    assert most_stable(agreement, 24) == 6


def test_groups_that_are_not_there_are_loose() -> None:
    rng = np.random.default_rng(1)
    pool = Pool.of([f"a{i}" for i in range(600)], rng.normal(size=(600, 32)))
    projected = project(pool, everyone(pool))
    assert np.mean(cluster_stability(projected.rows, cluster(projected, 12).centres)) < LOOSE


def test_a_sample_finds_the_centres_of_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "FIT", 120)
    pool, truth = blobs(4, 100)
    projected = project(pool, everyone(pool), seed=3)
    assert len(projected.sample) == 120
    assert adjusted_rand_score(truth, cluster(projected, 4).labels) == 1


def test_only_those_let_in_are_clustered_by_their_cosine_to_the_centre() -> None:
    pool, _ = blobs(3, 30)
    among = np.arange(len(pool)) % 3 > 0
    projected = project(pool, among, kept=pool.dim)
    found = cluster(projected, 3)
    assert projected.index.tolist() == np.flatnonzero(among).tolist()
    for place in range(3):
        rows = pool.rows(projected.index[found.labels == place])
        centre = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
        np.testing.assert_allclose(found.cosines[found.labels == place], rows @ centre, atol=2e-3)


@pytest.mark.parametrize("distinct", [0, 1, 3])
def test_fewer_distinct_vectors_make_fewer_clusters(distinct: int) -> None:
    rows = np.eye(8)[np.arange(distinct * 10) % max(distinct, 1)] if distinct else np.eye(8)[:2]
    pool = Pool.of([f"a{i}" for i in range(len(rows))], rows)
    found = cluster(project(pool, np.full(len(pool), distinct > 0)), 5)
    assert len(found.centres) == distinct
    assert set(found.labels.tolist()) == set(range(distinct))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), k=st.integers(2, 9), n=st.integers(1, 80))
def test_the_same_vectors_and_seed_give_the_same_clusters(seed: int, k: int, n: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, 12)).round(1)
    pool = Pool.of([f"a{i}" for i in range(n)], rows)
    once, again = (cluster(project(pool, everyone(pool), seed), k) for _ in range(2))
    assert once.labels.tobytes() == again.labels.tobytes()
    assert once.cosines.tobytes() == again.cosines.tobytes()
    assert (once.sizes > 0).all()
    assert len(once.centres) <= min(k, n)
    # Everyone is where the nearest centre is, so that a newcomer would come to the same place.
    projected = project(pool, everyone(pool), seed)
    np.testing.assert_array_equal(nearest_centre(projected.rows, once.centres), once.labels)
