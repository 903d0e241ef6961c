"""A map stays put: where an image is placed depends on the landmarks alone; similar images lie near each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.maps import layout
from attune.models.maps.fixed_point import LARGEST, WholeComponents
from attune.models.maps.layout import make, neighbours, to_plane
from attune.models.maps.nearest import nearest
from attune.models.maps.placing import Landmarks
from attune.models.spaces.components import principal_components
from attune.models.vectors.pool import Pool, unit_length
from attune.models.vectors.products import FloatArray

DIM = 24


def vectors(count: int, seed: int = 0, groups: int = 5) -> FloatArray:
    """Unit vectors in ``groups``, row i in group i modulo their number."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(groups, DIM))
    return unit_length(centres[np.arange(count) % groups] + rng.normal(scale=0.5, size=(count, DIM)))


def landmarks(count: int, seed: int = 0) -> Landmarks:
    """Landmarks at places that need no t-SNE: what is tested is what others are placed by."""
    rows = vectors(count, seed)
    whole = WholeComponents.of(principal_components([rows], 16), rows)
    components = whole.project(rows)
    return Landmarks(whole, components, to_plane(components[:, :2].astype(np.float64)))


@given(
    st.integers(1, 300), st.integers(0, 50), st.lists(st.integers(0, 11), min_size=1, max_size=12), st.integers(1, 4)
)
@settings(max_examples=20, deadline=None)
def test_an_image_goes_to_one_place_alone_in_a_batch_and_with_any_threads(
    count: int, seed: int, picked: list[int], threads: int
) -> None:
    held, rows = landmarks(count, seed), vectors(12, seed + 1)
    together = held.place(rows, threads)
    alone = np.concatenate([held.place(rows[one : one + 1]) for one in range(len(rows))])
    assert np.array_equal(together, alone)
    assert np.array_equal(held.place(rows[picked], 1), together[picked]), "neither order nor company matter"


@given(st.integers(1, 400), st.integers(1, 12), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_nearest_are_those_of_plain_arithmetic(count: int, wanted: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    among = rng.integers(-LARGEST, LARGEST + 1, (count, 6)).astype(np.int16)
    rows = rng.integers(-LARGEST, LARGEST + 1, (7, 6)).astype(np.int16)
    far = ((rows[:, None].astype(np.int64) - among[None].astype(np.int64)) ** 2).sum(axis=2)
    expected = np.argsort(far, axis=1, kind="stable")[:, :wanted]
    for where, found, squared in nearest(rows, among, wanted):
        assert np.array_equal(np.take_along_axis(far[where], found, 1), np.take_along_axis(far, expected, 1)[where])
        assert np.array_equal(squared, np.take_along_axis(far[where], found, 1))


def test_largest_whole_numbers_stay_exact_in_single_precision() -> None:
    among = np.full((3, 64), LARGEST, dtype=np.int16)
    among[1, 0] = LARGEST - 1
    ((_, found, squared),) = nearest(among[:1], among, 3)
    assert squared.tolist() == [[0, 0, 1]]
    assert found.tolist() == [[0, 2, 1]]


def test_similar_images_are_near_and_a_copy_of_a_landmark_goes_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "EARLY", 100)
    monkeypatch.setattr(layout, "LATE", 150)
    rows = vectors(240, groups=4)
    pool = Pool.of([f"a{i}" for i in range(240)], rows)
    steps: list[int] = []
    held, index = make(pool, np.ones(240, dtype=np.bool_), seed=3, step=lambda: steps.append(1), most=160)
    again, same = make(pool, np.ones(240, dtype=np.bool_), seed=3, most=160)
    assert len(index) == 160
    assert len(steps) == 250 // layout.LOOK
    assert np.array_equal(held.positions, again.positions), "the same vectors and seed give the same map"
    assert np.array_equal(index, same)
    places = held.place(pool.rows(np.arange(240))).astype(np.float64)
    far = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(far, np.inf)
    group = np.arange(240) % 4
    near = group[np.argsort(far, axis=1)[:, :5]]
    assert (near == group[:, None]).mean() > 0.95
    moved = np.linalg.norm(places[index] - held.positions, axis=1)
    assert np.median(moved) < 0.02 * layout.SPAN


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_handful_of_images_has_a_map_too(count: int) -> None:
    held, _ = make(Pool.of([f"a{i}" for i in range(count)], vectors(count)), np.ones(count, dtype=np.bool_))
    assert held.positions.shape == (count, 2)
    assert len(np.unique(held.positions, axis=0)) == count
    assert held.place(vectors(3, 5)).shape == (3, 2)


def test_equal_images_do_not_break_it() -> None:
    pool = Pool.of([f"a{i}" for i in range(30)], np.ones((30, DIM)))
    held, _ = make(pool, np.ones(30, dtype=np.bool_))
    assert len(np.unique(held.positions, axis=0)) == 1
    index, distances = neighbours(held.components, 5)
    assert (index != np.arange(30)[:, None]).all()
    assert (distances == 0).all()


def test_landmarks_come_back_from_their_bytes_and_refuse_others() -> None:
    held = landmarks(50)
    content = held.to_bytes()
    again = Landmarks.from_bytes(content)
    assert again.to_bytes() == content
    assert np.array_equal(again.place(vectors(9, 4)), held.place(vectors(9, 4)))
    with pytest.raises(DataError, match="attune map make --anew"):
        Landmarks.from_bytes(content[:40])
    with pytest.raises(DataError, match="have 3 numbers"):
        held.place(np.ones((1, 3), dtype=np.float32))
