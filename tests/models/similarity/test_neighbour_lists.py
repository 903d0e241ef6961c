"""Lists of similar assets and their measures: never one's own title, and the figures that a count by hand gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.similarity import neighbour_lists
from attune.models.similarity.neighbour_lists import blocks, costs, crowding, leading
from attune.models.similarity.neighbour_measures import FIGURES, measure_lists
from attune.models.vectors.pool import unit_length


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 4)) < 0.4).astype(np.float32)
    return unit_length(rng.standard_normal((n, 6))), rng.integers(0, max(n // 2, 2), n).astype(str), labels


@given(st.integers(13, 60), st.integers(0, 999), st.floats(0, 1))
def test_a_title_is_never_its_own_neighbour(n: int, seed: int, weight: float) -> None:
    vectors, titles, _ = drawn(n, seed)
    for rows, near in blocks(vectors, titles, costs(vectors, titles, weight)):
        top = leading(near)
        found = np.isfinite(np.take_along_axis(near, top, axis=1))
        assert not (found & (titles[top] == titles[rows][:, None])).any()
        assert (found.sum(axis=1) == np.minimum(10, [(titles != titles[row]).sum() for row in rows])).all()
        values = np.take_along_axis(near, top, axis=1)
        assert (values[:, :-1] >= values[:, 1:]).all()


def test_measures_are_what_counting_gives() -> None:
    vectors, titles, labels = drawn(40, 1)
    got = measure_lists(vectors, titles, labels)
    for query in range(40):
        others = np.flatnonzero(titles != titles[query])
        ranked = others[np.argsort(-(vectors[others] @ vectors[query]), kind="stable")]
        shared, either = labels[ranked] @ labels[query], np.maximum(labels[ranked], labels[query]).sum(axis=1)
        gains = shared / np.maximum(either, 1)
        if not labels[query].any():
            assert np.isnan(got.precision[query])
            assert np.isnan(got.ndcg[query])
            continue
        assert got.precision[query] == np.mean(gains[:10] > 0)
        discount = 1 / np.log2(np.arange(2, 12))
        ideal = np.sort(gains)[::-1][:10] @ discount
        assert np.isclose(got.ndcg[query], gains[:10] @ discount / ideal if ideal else 0, atol=1e-6)
        wanted = int((gains > 0).sum())
        hits = gains[:wanted] > 0
        average = (np.cumsum(hits) / np.arange(1, wanted + 1) * hits).sum() / max(wanted, 1)
        assert np.isclose(got.map_at_r[query], average)
    assert got.shown.sum() == 400


def test_weights_of_one_give_the_figures_and_a_query_of_weight_zero_does_not_count() -> None:
    got = measure_lists(*drawn(40, 2))
    weights = np.ones((2, 40))
    weights[1, :20] = 0
    for name in FIGURES:
        assert np.isclose(got.figure(name, weights)[0], got.figure(name))
    assert np.isclose(got.figure("precision", weights)[1], np.nanmean(got.precision[20:]))


def test_what_is_near_to_everything_is_in_fewer_lists_when_it_costs() -> None:
    rng = np.random.default_rng(0)
    apart = np.hstack([np.eye(60), np.full((60, 1), 0.5)])
    hub = np.r_[np.full(60, 0.2), 1.0]
    vectors = unit_length(np.vstack([apart + 0.02 * rng.standard_normal(apart.shape), hub]))
    titles, labels = np.arange(61).astype(str), np.ones((61, 2), dtype=np.float32)
    free = measure_lists(vectors, titles, labels)
    charged = measure_lists(vectors, titles, labels, costs(vectors, titles, 1.0))
    assert free.shown[60] == 60
    assert charged.shown[60] < 40
    assert costs(vectors, titles, 0.0) is None


def test_crowding_of_a_sample_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, titles, _ = drawn(400, 3)
    whole = crowding(vectors, titles)
    monkeypatch.setattr(neighbour_lists, "SAMPLE", 200)
    assert np.corrcoef(whole, crowding(vectors, titles))[0, 1] > 0.5
