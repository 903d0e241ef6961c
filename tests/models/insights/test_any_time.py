"""What is looked at every week is false no more often than it says, and one look costs little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from attune.models.insights.any_time import any_time_half_width, any_time_p, critical

LOOKS, NULLS, ALPHA = 40, 2000, 0.1


def test_forty_looks_at_nothing_find_something_in_at_most_one_of_ten() -> None:
    rng = np.random.default_rng(0)
    each = rng.normal(0, 0.3, (NULLS, LOOKS))  # a week's estimate
    number = np.arange(1, LOOKS + 1)
    estimate, se = each.cumsum(axis=1) / number, 0.3 / np.sqrt(number)
    p = 2 * ndtr(-np.abs(estimate / se))
    assert (p.min(axis=1) <= ALPHA).mean() > 0.45  # by patience alone
    held = [[any_time_p(value, error, look == 0) for look, (value, error) in enumerate(zip(row, se, strict=True))]
            for row in p]  # fmt: skip
    found = np.array(held).min(axis=1) <= ALPHA
    assert 0.05 < found.mean() <= ALPHA


def test_the_interval_holds_zero_exactly_where_the_p_value_is_above_its_level() -> None:
    for first in (True, False):
        for se in (0.005, 0.05, 0.5):
            half = any_time_half_width(se, 1e9, 0.95, first)
            for away, sure in ((1.001, True), (0.999, False)):
                p = float(2 * ndtr(-half * away / se))
                assert (any_time_p(p, se, first) <= 0.05) is sure


def test_one_look_costs_a_seventh_and_many_cost_less_than_twice_the_width() -> None:
    assert critical(0.05, 0.05, True) == pytest.approx(2.241, abs=0.001)
    for se in (0.01, 0.03, 0.08):
        assert 3.1 < critical(se, 0.05, False) < 3.7
    assert any_time_half_width(0.05, 20, 0.95, True) > any_time_half_width(0.05, 1e9, 0.95, True)
    assert any_time_p(0.0, 0.01, False) == 0.0
    assert any_time_p(0.04, 0.0, False) == 0.08
