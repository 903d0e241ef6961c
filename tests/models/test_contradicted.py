"""Experts beside the probe: one who answers otherwise is seen, and chance is not called one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contradicted import GAP, Beside, beside_probe, odd_one

Panel = dict[str, tuple[int, int]]  # expert -> (answers that are the probe's class, others)


def beside(panel: Panel) -> list[Beside]:
    return beside_probe((name, i < agree) for name, (agree, against) in panel.items() for i in range(agree + against))


def test_one_who_guesses_among_careful_ones_is_seen_after_a_dozen_audits_each() -> None:
    odd = odd_one(beside({"gus": (7, 7), "mara": (14, 0), "nils": (13, 1)}))
    assert odd is not None
    assert (odd.expert, odd.share) == ("gus", 0.5)
    assert odd.others == pytest.approx(1 / 28)


@pytest.mark.parametrize(
    "panel",
    [
        {},
        {"ana": (5, 30)},  # nobody to compare with
        {"gus": (4, 4), "mara": (14, 0), "nils": (14, 0)},  # too few of one
        {"gus": (10, 10), "mara": (5, 0)},  # too few of the others
        {"gus": (11, 3), "mara": (13, 1), "nils": (13, 1)},  # what chance does
        {"gus": (820, 180), "mara": (960, 40)},  # sure, and a matter of taste
        {"gus": (50, 50), "mara": (50, 50), "nils": (52, 48)},  # a poor probe contradicts everybody
    ],
)
def test_nobody_is_named_without_a_clear_difference(panel: Panel) -> None:
    assert odd_one(beside(panel)) is None


def test_alike_experts_are_hardly_ever_called_uneven_however_often_one_looks() -> None:
    rng = np.random.default_rng(3)
    named = 0
    for _ in range(100):
        wrong = (rng.random((3, 80)) < 0.2).cumsum(axis=1)
        looks = ({str(i): (n - int(wrong[i, n - 1]), int(wrong[i, n - 1])) for i in range(3)} for n in range(10, 81, 2))
        named += any(odd_one(beside(look)) is not None for look in looks)
    assert named <= 6  # 1.5 in a hundred are to be expected


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2), st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4
    )
)
def test_who_is_named_has_the_largest_share_by_far_and_the_order_does_not_matter(panel: Panel) -> None:
    found = beside(panel)
    odd = odd_one(found)
    assert odd == odd_one(found[::-1])
    for one in found:
        assert one.agrees.lo <= one.agrees.value <= one.agrees.hi  # type: ignore[operator]
    if odd is not None:
        assert odd.share - odd.others >= GAP
        assert odd.share == pytest.approx(max(1 - (one.agrees.value or 0) for one in found))
