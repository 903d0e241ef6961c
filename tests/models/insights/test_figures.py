"""False discoveries, the winner's curse, sensitivity, halves, grades and the sample ratio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from attune.models.insights.false_discovery import q_values
from attune.models.insights.grades import Evidence, grade, lowest
from attune.models.insights.halves import discovery_half
from attune.models.insights.sample_ratio import sample_ratios
from attune.models.insights.sensitivity import e_value, robustness_value
from attune.models.insights.shrinkage import shrink


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_benjamini_and_hochbergs(p: list[float]) -> None:
    assert q_values(p) == pytest.approx(false_discovery_control(p))
    with_gap = q_values([*p, np.nan])
    assert np.isnan(with_gap[-1])
    assert with_gap[:-1] == pytest.approx(q_values(p))


def test_the_largest_of_many_noisy_figures_shrinks_to_its_true_size() -> None:
    rng = np.random.default_rng(0)
    truth, se = rng.normal(0, 0.1, 4000), rng.uniform(0.05, 0.3, 4000)
    raw = truth + se * rng.normal(size=4000)
    found = shrink(raw, se)
    best = np.argsort(-raw)[:400]
    assert raw[best].mean() > 2 * truth[best].mean()
    assert found.estimate[best].mean() == pytest.approx(truth[best].mean(), abs=0.02)
    assert found.tau == pytest.approx(0.1, abs=0.01)
    assert (found.se < se).all()
    assert shrink([0.5], [0.0]).estimate[0] == 0.5
    assert np.isnan(shrink([np.nan, 0.1], [0.1, 0.1]).estimate[0])
    assert shrink(raw + 1, se, mean=None).mean == pytest.approx(1, abs=0.01)


def test_sensitivity_is_that_of_the_papers() -> None:
    # VanderWeele and Ding 2017, Annals 167: risk ratio 3.9 [1.8, 8.7] has E-values 7.2 and 3.0.
    assert e_value(np.log(3.9), (np.log(1.8), np.log(8.7))) == pytest.approx((7.26, 3.0), abs=0.01)
    assert e_value(-np.log(3.9), (-np.log(8.7), -np.log(1.8))) == pytest.approx((7.26, 3.0), abs=0.01)
    assert e_value(0.1, (-0.1, 0.3))[1] == 1.0
    # Cinelli and Hazlett 2020, Darfur: t = 4.18 with 783 degrees of freedom has the robustness value 13.9 %.
    assert robustness_value(0.097, 0.097 / 4.184, 783) == pytest.approx(0.139, abs=0.001)


def test_a_title_stays_in_its_half() -> None:
    titles = [f"title-{number}" for number in range(2000)]
    half = discovery_half(titles)
    assert 0.45 < half.mean() < 0.55
    assert np.array_equal(discovery_half(titles[::-1])[::-1], half)
    assert not np.array_equal(discovery_half(titles, "another"), half)


def test_a_grade_can_only_fall() -> None:
    assert grade(Evidence(randomised=True, ratio_passed=True)) == "A"
    assert grade(Evidence(randomised=True, ratio_passed=False, propensity=True)) == "C"
    assert grade(Evidence(propensity=True)) == "B"
    assert grade(Evidence()) == "C"
    assert grade(Evidence(randomised=True, ratio_passed=True, within=False)) == "D"
    assert lowest(["A", "C", "B"]) == "C"


def test_a_cell_that_was_not_shown_in_the_planned_ratio_is_flagged() -> None:
    cell = np.array([0, 0, 1, 1, 2, 3, 3])
    shown = np.array([1000.0, 1010, 1000, 1300, 50, 200, 800])
    found = sample_ratios(cell, shown)
    assert list(found.cell) == [0, 1, 3]  # a cell with one image has no ratio
    assert list(found.flagged) == [False, True, True]
    assert not sample_ratios(cell, shown, np.array([1, 1, 10, 13, 1, 2, 8.0])).flagged.any()
