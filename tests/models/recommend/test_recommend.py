"""Recommendations: nothing that was seen, the nearest of what was liked, and histories read as they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.recommend import by_others
from attune.models.recommend.by_others import ItemNeighbours, popularity
from attune.models.recommend.by_vectors import reasons, recommend, scores, title_vectors
from attune.models.recommend.history import History
from attune.models.recommend.history_rows import likes, read
from attune.models.vectors.pool import unit_length

TITLES = {"alien": "alien", "brazil": "brazil", "a1": "alien", "clue": "clue"}
NAMES = ("alien", "brazil", "clue")


def history(pairs: list[tuple[int, int]], titles: int) -> History:
    user, title = np.array(pairs, dtype=np.intp).T
    names = tuple(map(str, range(titles)))
    return History(user, title, np.arange(len(pairs), dtype=float), tuple(map(str, range(user.max() + 1))), names)


def test_a_history_is_read_in_the_order_of_time_and_counts_what_it_leaves_out() -> None:
    text = "user,id,rating,timestamp\n007,clue,5,30\n007,a1,4,10\n2,brazil,2,5\n2,unknown,5,6\n2,alien,3.5,20\n"
    found = likes(read(text.encode(), TITLES), NAMES)
    assert found.users == ("007", "2")  # a user's name is never a number
    assert [NAMES[title] for title in found.title] == ["alien", "alien", "clue"]
    assert {user: titles.tolist() for user, titles in found.by_user().items()} == {0: [0, 2], 1: [0]}
    assert found.left_out == 2


def test_without_ratings_and_times_every_row_is_a_like_in_the_order_of_the_file() -> None:
    found = likes(read(b"user,id\na,clue\na,alien\na,clue\n", TITLES), NAMES)
    assert found.by_user()[0].tolist() == [2, 0]
    assert len(likes(read(b"user,id\na,nowhere\n", TITLES), NAMES)) == 0


def test_of_few_people_neither_a_title_nor_a_neighbour_is_told() -> None:
    five = [(user, title) for user in range(5) for title in (0, 1)]
    known = history([*five, (5, 0), (5, 2), (6, 2), (7, 2), (8, 2), (9, 2)], 4)
    told = known.liked_by(5)
    assert popularity(told).tolist() == [6, 5, 5, 0]
    near = ItemNeighbours(told, fewest=5).scores(np.array([0]))
    assert near[1] > 0
    assert near[2] == 0, "one person liked both, and nobody is to know"
    assert ItemNeighbours(known).scores(np.array([0]))[2] > 0
    assert popularity(known.liked_by(6)).tolist() == [6, 0, 0, 0]


@given(st.integers(2, 40), st.integers(1, 30), st.integers(0, 999))
def test_nothing_that_was_seen_is_recommended_and_the_best_come_first(count: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, seen = rng.random(count).astype(np.float32), np.flatnonzero(rng.random(count) < 0.4)
    allowed = rng.random(count) < 0.7
    ten = recommend(found, seen, size, allowed)
    left = np.setdiff1d(np.flatnonzero(allowed), seen)
    assert ten.tolist() == left[np.argsort(-found[left], kind="stable")][:size].tolist()


def test_a_taste_with_two_sides_finds_both() -> None:
    sides = unit_length(np.array([[1, 0, 0], [0.99, 0.1, 0], [0, 1, 0], [0.1, 0.99, 0], [0.7, 0.7, 0], [0, 0, 1]]))
    found = scores(np.repeat(sides, 3, axis=0), np.array([0, 1, 2, 6, 7, 8]))
    # What is near one side comes before what lies between both, and that before what is near neither.
    assert min(found[3], found[9]) > found[12] > found[15]
    with pytest.raises(DataError, match="at least one"):
        scores(sides, np.array([], dtype=np.intp))


def test_reasons_are_the_liked_titles_that_are_nearest() -> None:
    vectors = unit_length(np.array([[1, 0], [0.8, 0.6], [0, 1], [0.9, 0.1]]))
    assert reasons(vectors, np.array([2, 0, 1]), 3, 2).tolist() == [0, 1]


def test_a_title_is_the_mean_of_its_artwork() -> None:
    made = title_vectors(np.eye(3, dtype=np.float32), np.array([1, 1, 0]), 3)
    np.testing.assert_allclose(made, [[0, 0, 1], [0.5**0.5, 0.5**0.5, 0], [0, 0, 0]], atol=1e-6)


def test_popularity_counts_people_and_not_rows() -> None:
    assert popularity(history([(0, 1), (0, 1), (1, 1), (1, 0)], 3)).tolist() == [1, 2, 0]


def test_titles_of_the_same_people_are_near_and_new_titles_unknown() -> None:
    pairs = [(user, title) for user in range(6) for title in ((0, 1) if user < 4 else (2, 3))]
    found = ItemNeighbours(history([*pairs, (0, 2)], 5)).scores(np.array([0]))
    assert found[1] > found[2] > 0 == found[3] == found[4]


def test_titles_shared_by_few_count_less_than_their_cosine() -> None:
    many = [(user, title) for user in range(30) for title in (0, 1)]
    few = [(user, title) for user in (40, 41) for title in (2, 3)]
    neighbours = ItemNeighbours(history(sorted(many + few), 4))
    assert neighbours.scores(np.array([0]))[1] > 2 * neighbours.scores(np.array([2]))[3]


def test_rows_that_are_not_held_any_more_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    some = history([(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (2, 3)], 4)
    liked = [np.array(one, dtype=np.intp) for one in ([0, 1], [2, 3, 0], [1], [0, 1, 2, 3])]
    expected = [ItemNeighbours(some).scores(one).tolist() for one in liked]
    monkeypatch.setattr(by_others, "HELD", 2 * 4 * 4)
    few = ItemNeighbours(some)
    assert [few.scores(one).tolist() for one in liked] == expected
    assert len(few._near) == 2, "a row is as long as the pool has titles: all of them at once fit no memory"
