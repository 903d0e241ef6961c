from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import DataError, SplitLeakage
from attune.models.evaluation.splits import check_apart, held_out, title_folds, unit_hash

KNOWN = [0.439877, 0.629409]  # of blake2b, 53 bits: a pool reserved today must be reserved alike for ever


def test_a_title_is_held_out_whatever_else_is_in_the_pool() -> None:
    titles = np.array([f"title {i}" for i in range(500)])
    alone = np.array([held_out([title], 7, 0.3, "reserved")[0] for title in titles])
    assert (held_out(titles, 7, 0.3, "reserved") == alone).all()
    assert 0.24 < alone.mean() < 0.36


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert unit_hash(["Casablanca", "Alien"], 3, "reserved").round(6).tolist() == pytest.approx(KNOWN, abs=1e-6)


def test_two_purposes_of_one_seed_are_independent() -> None:
    titles = [str(i) for i in range(2000)]
    one, two = held_out(titles, 1, 0.5, "reserved"), held_out(titles, 1, 0.5, "audit")
    assert 0.2 < (one & two).mean() < 0.3


@given(st.lists(st.integers(0, 12), min_size=30, max_size=80), st.integers(0, 5))
def test_no_title_straddles_a_fold(numbers: list[int], seed: int) -> None:
    titles = np.array([f"t{number}" for number in [*numbers, *range(5)]])
    classes = np.arange(len(titles)) % 2
    tested = np.zeros(len(titles), dtype=int)
    for train, test in title_folds(titles, classes, 5, seed):
        assert not set(titles[train]) & set(titles[test])
        tested[test] += 1
    assert (tested == 1).all()


def test_leakage_is_refused_with_the_offenders() -> None:
    with pytest.raises(SplitLeakage, match=r"1 titles are both trained on and evaluated on, among them \['b'\]"):
        check_apart(["a", "b"], ["b", "c"])


def test_impossible_splits_are_refused() -> None:
    with pytest.raises(DataError, match="2 titles cannot be split into 5 folds"):
        list(title_folds(["a", "b", "a"], [0, 1, 0], 5, 0))
    with pytest.raises(DataError, match=r"share is 1\.5"):
        held_out(["a"], 0, 1.5, "reserved")
