"""Groups at the edge of a question: cut by the line, alike, of several titles, and not near what was decided."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attune.models.scope.cut_groups import Group, cut_groups, from_line, near_line
from attune.models.scope.group_settings import GroupSettings
from attune.models.vectors.pool import unit_length

SETTINGS = GroupSettings()
MARGINS = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-4, 4).map(lambda x: round(x, 3)))


def world(each: int = 40, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Three kinds of images: the line cuts the first in half, the second at a fifth, and leaves the third whole."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(3), each)
    vectors = unit_length(np.eye(16)[kind] + rng.normal(scale=0.05, size=(3 * each, 16)))
    above = np.concatenate([np.arange(each) % 2 == 0, np.arange(each) % 5 == 0, np.zeros(each, dtype=bool)])
    return vectors, np.where(above, 1.0, -1.0) * rng.uniform(0.1, 1, 3 * each)


def names(count: int) -> npt.NDArray[np.str_]:
    return np.array([f"t{number}" for number in range(count)])


def kinds(groups: list[Group], each: int = 40) -> list[set[int]]:
    return [set((one.rows // each).tolist()) for one in groups]


def test_a_group_is_of_one_kind_and_the_most_evenly_cut_comes_first() -> None:
    vectors, margins = world()
    found = cut_groups(vectors, margins, names(120), [], 10)
    assert kinds(found)[0] == {0}
    assert {2} not in kinds(found), "the line leaves that kind whole"
    assert all(len(kind) == 1 for kind in kinds(found))
    assert found[0].mixed > 0.8
    assert len(found[0].rows) == SETTINGS.size


def test_both_sides_of_the_line_are_shown() -> None:
    vectors, margins = world()
    (first, *_) = cut_groups(vectors, margins, names(120), [], 10)
    assert (margins[first.rows] > 0).sum() == SETTINGS.size / 2


def test_what_was_decided_is_not_asked_again() -> None:
    vectors, margins = world()
    (first, *_) = cut_groups(vectors, margins, names(120), [], 1)
    again = cut_groups(vectors, margins, names(120), [vectors[first.rows].mean(axis=0)], 10)
    assert {0} not in kinds(again)
    assert kinds(again)[0] == {1}


def test_one_image_of_a_title() -> None:
    vectors, margins = world()
    titles = np.array([f"t{number // 4}" for number in range(120)])
    for one in cut_groups(vectors, margins, titles, [], 10):
        assert len(set(titles[one.rows])) == len(one.rows)


def test_a_band_that_is_small_or_all_alike_gives_no_more_than_it_has() -> None:
    vectors, margins = world()
    assert cut_groups(vectors[:5], margins[:5], names(5), [], 10) == []
    same = np.tile(vectors[:1], (30, 1))
    assert len(cut_groups(same, margins[:30], names(30), [], 10)) <= 1
    assert cut_groups(vectors, np.abs(margins), names(120), [], 10) == [], "nothing lies on the other side"


def test_the_same_band_gives_the_same_groups() -> None:
    vectors, margins = world(seed=3)
    one, other = (cut_groups(vectors, margins, names(120), [], 10) for _ in range(2))
    assert [group.rows.tolist() for group in one] == [group.rows.tolist() for group in other]


@given(MARGINS, st.integers(0, 30), st.data())
def test_the_nearest_of_each_side_are_taken_and_no_place_is_left_empty(
    margins: npt.NDArray[Any], count: int, data: st.DataObject
) -> None:
    allowed = data.draw(hnp.arrays(np.bool_, len(margins)))
    rows = near_line(margins, allowed, count)
    assert allowed[rows].all()
    assert sorted(set(rows.tolist())) == rows.tolist()
    assert len(rows) in (min(count, int(allowed.sum())), min(count - 1, int(allowed.sum())))
    for side in (margins > 0, margins <= 0):
        taken, left = side & np.isin(np.arange(len(margins)), rows), side & allowed
        left[rows] = False
        if taken.any() and left.any():
            assert np.abs(margins[taken]).max() <= np.abs(margins[left]).min()


@given(MARGINS, st.floats(0, 0.5))
def test_the_line_leaves_a_share_on_either_side_and_keeps_the_order(margins: npt.NDArray[Any], side: float) -> None:
    allowed = np.ones(len(margins), dtype=bool)
    moved = from_line(margins, allowed, side)
    assert (np.argsort(moved, kind="stable") == np.argsort(margins, kind="stable")).all()
    spread = len(np.unique(margins)) == len(margins)
    if spread and len(margins) * side >= 2:
        assert (moved > 0).any()
        assert (moved < 0).any()


def test_a_line_that_parts_the_pool_stays_where_it_is() -> None:
    margins = np.linspace(-1, 1, 101)
    assert (from_line(margins, np.ones(101, dtype=bool), 0.1) == margins).all()
