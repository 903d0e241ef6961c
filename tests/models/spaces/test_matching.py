"""Numbers live on from one clustering to the next, and never come to mean another group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from attune.models.spaces.matching import SAME, jaccard, lineage, pairs, shared_counts

LABELS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 5), min_size=n, max_size=n) for _ in range(2)))
)


def counts(labels: tuple[list[int], list[int]]) -> npt.NDArray[np.float64]:
    before, after = (np.unique(one, return_inverse=True)[1] for one in labels)
    return shared_counts(before, after, (before.max() + 1, after.max() + 1))


@given(LABELS)
def test_a_cluster_is_matched_once_at_most_and_with_enough_in_common(labels: tuple[list[int], list[int]]) -> None:
    shared = counts(labels)
    found = pairs(shared)
    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
    assert all(jaccard(shared)[pair] >= SAME for pair in found)


@given(LABELS, st.permutations(range(6)))
def test_numbers_are_unique_and_each_old_one_lives_on_or_died(
    labels: tuple[list[int], list[int]], order: list[int]
) -> None:
    shared = counts(labels)
    before = [number + 3 for number in order[: len(shared)]]
    found = lineage(shared, before, 50)
    assert len(set(found.numbers)) == len(found.numbers) == shared.shape[1]
    assert set(before) == (set(found.numbers) & set(before)) | set(found.died)
    assert not set(found.died) & set(found.numbers)
    assert all(number >= 50 for number in found.born)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.permutations(range(6)))
def test_the_same_groups_in_another_order_keep_their_numbers(labels: list[int], order: list[int]) -> None:
    shared = counts((labels, [order[label] for label in labels]))
    before = list(range(1, len(shared) + 1))
    found = lineage(shared, before, 99)
    assert (list(found.born), list(found.died), dict(found.split)) == ([], [], {})
    for old, number in enumerate(before):
        assert found.numbers[int(shared[old].argmax())] == number


def test_a_cluster_in_two_pieces_is_said_to_have_split() -> None:
    before = np.repeat([0, 1], [40, 40])
    after = np.repeat([0, 1, 2], [24, 16, 40])
    found = lineage(shared_counts(before, after, (2, 3)), [7, 8], 9)
    assert found.numbers == [7, 9, 8]
    assert (found.born, found.died, found.split, found.merged) == ([9], [], {7: [7, 9]}, {})
    back = lineage(shared_counts(after, before, (3, 2)), [7, 9, 8], 10)
    assert (back.numbers, back.died, back.merged) == ([7, 8], [9], {7: [7, 9]})
