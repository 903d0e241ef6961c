"""Traits of groups: found where they are, rarely found where they are not, and titles count once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.descriptions.enrichment import Trait, describe, lift_only, most_missing, most_telling
from attune.models.errors import DataError


def trait(name: str, holds: np.ndarray, weights: np.ndarray | None = None) -> Trait:
    return Trait(name, holds.astype(bool), np.ones(len(holds)) if weights is None else weights)


def titles_of(n: int, each: int = 2) -> list[str]:
    return [f"t{place // each}" for place in range(n)]


def test_a_trait_of_a_group_is_found_and_leads() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2], 60)
    holds = rng.random(180) < np.where(groups == 1, 0.8, 0.2)
    noise = rng.random(180) < 0.5
    found = describe(groups, titles_of(180), [trait("serious", holds), trait("outdoors", noise)])
    assert [one.trait for one in most_telling(found, 1)] == ["serious"]
    assert most_telling(found, 0) == []
    assert [one.trait for one in most_missing(found, 0)] == ["serious"]
    assert most_missing(found, 1) == []
    one = next(one for one in found if (one.group, one.trait) == (1, "serious"))
    assert one.lo < one.share < one.hi
    assert one.lift == pytest.approx(one.share / one.rest)


def test_many_images_of_few_titles_are_no_evidence() -> None:
    """Four titles whose posters all look alike: as many images, four pieces of news."""
    groups = np.repeat([0, 1], 100)
    holds = np.where(groups == 0, True, np.arange(200) % 2 == 0)
    few = [f"t{place // 25}" for place in range(100)] + [f"u{place}" for place in range(100)]
    many = [f"t{place}" for place in range(200)]
    assert all(one.p is None for one in describe(groups, few, [trait("serious", holds)]))
    assert most_telling(describe(groups, many, [trait("serious", holds)]), 0)


def test_titles_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    of_title = np.repeat(rng.random(40) < 0.5, 5)  # a title's images are alike
    groups = np.repeat([0, 1], 100)
    together = describe(groups, titles_of(200, 5), [trait("serious", of_title)])[0]
    apart = describe(groups, titles_of(200, 1), [trait("serious", of_title)])[0]
    assert together.hi - together.lo > 1.5 * (apart.hi - apart.lo)


def test_weights_undo_what_the_audit_chose() -> None:
    rng = np.random.default_rng(3)
    holds = rng.random(4000) < 0.2
    chance = np.where(holds, 0.9, 0.3)  # the audit prefers what the probe ranks high
    drawn = rng.random(4000) < chance
    groups = np.arange(4000) % 2
    plain, weighted = (
        describe(groups, titles_of(4000, 1), [trait("serious", holds, weights)])[0]
        for weights in (drawn.astype(float), drawn / chance)
    )
    assert plain.share > 0.35
    assert weighted.share == pytest.approx(0.2, abs=0.04)


def test_images_without_a_value_count_nowhere() -> None:
    holds = np.array([True, False] * 50)
    known = np.array([1.0] * 60 + [0.0] * 40)
    other = holds.copy()
    other[60:] = ~other[60:]
    groups = np.arange(100) % 4 // 2
    one, two = (describe(groups, titles_of(100, 1), [trait("serious", held, known)]) for held in (holds, other))
    assert one == two
    assert sum(line.n for line in one) == 60


def test_images_of_no_group_are_the_rest_alone() -> None:
    groups = np.repeat([0, -1], 40)
    found = describe(groups, titles_of(80, 1), [trait("serious", np.arange(80) < 40)])
    assert [one.group for one in found] == [0]
    assert (found[0].share, found[0].rest, found[0].lift) == (1.0, 0.0, float("inf"))
    assert found[0].differs


def test_what_a_probe_says_has_no_test() -> None:
    told = lift_only([0, 0, 1, 1], "serious", [0.9, 0.7, 0.2, 0.2])
    assert [(one.group, one.p, one.q, one.differs) for one in told] == [(0, None, None, False), (1, None, None, False)]
    assert told[0].lift == pytest.approx(4.0)


def test_lengths_that_differ_are_told() -> None:
    with pytest.raises(DataError, match="3 images have a group and 2 have a title"):
        describe([0, 0, 1], ["a", "b"], [])
    with pytest.raises(DataError, match="serious: 2 values for 3 images"):
        describe([0, 0, 1], ["a", "b", "c"], [trait("serious", np.array([True, False]))])


@given(seed=st.integers(0, 10_000), k=st.integers(1, 5), share=st.floats(0, 1))
def test_a_share_lies_in_its_interval_and_numbers_are_only_names(seed: int, k: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    groups, holds = rng.integers(0, k, 60), rng.random(60) < share
    found = describe(groups, titles_of(60, 3), [trait("serious", holds)])
    for one in found:
        assert 0 <= one.lo <= one.share <= one.hi <= 1
        assert one.p is None or 0 <= one.p <= 1
        assert one.q is None or (one.p is not None and one.q >= one.p - 1e-12)
    renamed = describe(k - 1 - groups, titles_of(60, 3), [trait("serious", holds)])
    shares = sorted((one.share, one.n) for one in found)
    assert shares == sorted((one.share, one.n) for one in renamed)


@pytest.mark.slow
def test_where_nothing_differs_little_is_told() -> None:
    """At most one run in ten says anything, of 80 in which answers have nothing to do with the groups."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(80):
        of_title = rng.beta(1, 4, 120)  # a title's images are alike
        holds = [rng.random(360) < np.repeat(rng.permutation(of_title), 3) for _ in range(4)]
        groups = rng.integers(0, 12, 360)
        found = describe(groups, titles_of(360, 3), [trait(f"a{one}", held) for one, held in enumerate(holds)])
        alarms += any(one.differs for one in found)
    assert alarms <= 14  # 8 are due; 15 or more come by chance in 1 of 100 runs
