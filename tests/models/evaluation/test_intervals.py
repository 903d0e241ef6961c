from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.evaluation.intervals import draws_in_parts, percentile_interval, share_interval, title_draws


def test_a_titles_images_come_and_go_together() -> None:
    draws = title_draws(["a", "b", "a", "c"], np.random.default_rng(0), 50)
    assert draws.shape == (50, 4)
    assert (draws[:, 0] == draws[:, 2]).all()
    assert (draws[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_draws_in_parts_are_the_same_whatever_the_parts() -> None:
    titles = [f"title-{row // 3}" for row in range(40)]
    whole = np.random.default_rng(1).multinomial(14, np.full(14, 1 / 14), size=300)[
        :, np.unique(titles, return_inverse=True)[1]
    ]
    for first in (1, 127, 1_000):
        parts = list(draws_in_parts(titles, np.random.default_rng(1), 300, first))
        assert (np.concatenate(parts) == whole).all()
    drawn = title_draws(titles, np.random.default_rng(1), 300)
    assert (drawn == whole).all()
    assert drawn.flags.f_contiguous


def test_an_interval_holds_its_value_and_leaves_out_what_is_not_a_number() -> None:
    assert percentile_interval(np.array([0.2, np.nan, 0.4]), 0.9) == pytest.approx((0.205, 0.9))
    assert percentile_interval(np.array([np.nan]), 0.3) == (0.3, 0.3)


@given(st.integers(1, 200), st.data())
def test_a_shares_interval_holds_the_share_and_reaches_the_ends(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    lo, hi = share_interval(count, n)
    assert 0.0 <= lo <= count / n <= hi <= 1.0
    assert (lo == 0.0) == (count == 0)
    assert (hi == 1.0) == (count == n)
