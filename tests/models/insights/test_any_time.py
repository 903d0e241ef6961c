"""What is looked at every week is false no more often than it says, and one look costs little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtr

from attune.models.insights.any_time import (
    Look,
    any_time_ci,
    any_time_p,
    first_critical,
    later_ci,
    later_critical,
    later_p,
)

LOOKS, NULLS, ALPHA = 40, 2000, 0.1


def look(estimate: float, se: float, degrees: float = 1e9) -> Look:
    return Look(estimate, se, float(2 * stdtr(degrees, -abs(estimate / se))), degrees)


def test_forty_looks_at_nothing_find_something_in_at_most_one_of_ten() -> None:
    rng = np.random.default_rng(0)
    number = np.arange(1, LOOKS + 1)
    estimates, errors = rng.normal(0, 0.3, (NULLS, LOOKS)).cumsum(axis=1) / number, 0.3 / np.sqrt(number)
    once, held = 0, 0
    for row in estimates:
        looks = [look(*one) for one in zip(row, errors, strict=True)]
        once += min(one.p for one in looks) <= ALPHA
        held += min(any_time_p(one, looks[0] if place else None) for place, one in enumerate(looks)) <= ALPHA
    assert once > 0.45 * NULLS  # by patience alone
    assert 0.05 * NULLS < held <= ALPHA * NULLS


@pytest.mark.parametrize("se", [0.005, 0.05, 0.5])
def test_the_interval_holds_zero_exactly_where_the_p_value_is_above_its_level(se: float) -> None:
    for away in (1.001, 0.999):
        first = look(away * se * first_critical(0.05), se)
        assert (any_time_p(first, None) <= 0.05) is (away > 1) is not (any_time_ci(first, None, 0.95)[0] <= 0)
        later, dull = look(away * se * later_critical(se, 0.05), se), look(away * 3 * se, 5 * se)
        assert (any_time_p(later, dull) <= 0.05) is (away > 1) is not (any_time_ci(later, dull, 0.95)[0] <= 0)


def test_of_any_two_looks_the_interval_holds_zero_exactly_where_the_p_value_is_above_its_level() -> None:
    rng = np.random.default_rng(0)
    sure = 0
    for _ in range(3000):
        first, now = (look(rng.normal(0, 3) * se, se, rng.choice([12, 1e9])) for se in rng.uniform(0.01, 0.1, 2))
        low, high = any_time_ci(now, first, 0.95)
        assert (any_time_p(now, first) <= 0.05) is not (low <= 0 <= high)
        assert (later_p(now) <= 0.05) is not (later_ci(now, 0.95)[0] <= 0 <= later_ci(now, 0.95)[1])
        sure += not low <= 0 <= high
    assert 300 < sure < 2700


def test_a_look_without_an_error_keeps_its_own_p_value() -> None:
    assert later_p(Look(0.0, 0.0, 1.0, 30)) == 1.0


def test_what_was_sure_at_first_stays_so_while_the_newest_figure_agrees() -> None:
    first = look(0.1, 0.03)
    assert any_time_p(first, None) < 0.01
    same = look(0.06, 0.02)
    assert later_p(same) > 0.1
    assert any_time_p(same, first) == 2 * same.p < 0.01
    assert any_time_p(look(0.01, 0.02), first) > 0.5  # gone
    assert any_time_p(look(-0.06, 0.02), first) > 0.1  # turned
    low, high = any_time_ci(same, first, 0.95)
    assert 0.06 - 0.02 * later_critical(0.02, 0.05) < 0 < low < same.estimate < high


def test_one_look_costs_a_seventh_and_many_cost_less_than_twice_the_width() -> None:
    assert first_critical(0.05) == pytest.approx(2.241, abs=0.001)
    for se in (0.01, 0.03, 0.08):
        assert 3.1 < later_critical(se, 0.05) < 3.7
    few, many = (any_time_ci(look(0.1, 0.05, degrees), None, 0.95) for degrees in (20, 1e9))
    assert few[1] > many[1]
