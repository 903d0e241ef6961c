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
from attune.models.insights.sample_ratio import failed, sample_ratios, small_p
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


def test_thousands_of_good_cells_pass_and_a_spoiled_one_among_them_fails() -> None:
    rng = np.random.default_rng(0)
    cell = np.repeat(np.arange(8000), 4)
    passed, flagged = [], []
    for _ in range(5):
        shown = rng.multinomial(400, [0.25] * 4, 8000).astype(float).reshape(-1)
        good = sample_ratios(cell, shown)
        passed.append(not good.failed.any())
        flagged.append(good.flagged.any())
    assert all(flagged)
    assert sum(passed) >= 4
    shown[:4] = [250, 50, 50, 50]
    assert sample_ratios(cell, shown).failed.nonzero()[0].tolist() == [0]
    assert failed([0.0005]).all()


def test_a_cell_with_few_impressions_is_flagged_as_often_as_chance_says() -> None:
    rng = np.random.default_rng(1)
    plan = np.array([0.5, 0.3, 0.19, 0.01])
    for total in (6, 40):
        shown = rng.multinomial(total, plan, 4_000).astype(float)
        cell = np.repeat(np.arange(len(shown)), 4)
        found = sample_ratios(cell, shown.reshape(-1), np.tile(plan, len(shown)))
        for level in (0.05, 0.01, 0.001):
            assert (found.p < level).mean() < 1.5 * level + 0.001
    wanted = plan * 40
    plain = ((np.array([20, 10, 7, 3]) - wanted) ** 2 / wanted).sum()
    assert plain > 16.3  # chi-square with 3 degrees of freedom would flag three impressions instead of 0.4
    assert small_p(np.array([20.0, 10, 7, 3]), wanted) > 0.3


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 10)), min_size=2, max_size=6))
def test_the_p_value_of_a_small_cell_is_one_and_does_not_depend_on_the_order(rows: list[tuple[int, float]]) -> None:
    shown, plan = (np.array(column, dtype=float) for column in zip(*sorted(rows), strict=True))
    wanted = shown.sum() * plan / plan.sum()
    found = small_p(shown, wanted)
    assert 0 <= found <= 1
    order = np.lexsort((shown, wanted))[::-1]
    if len(set(wanted.tolist())) == len(wanted):
        assert small_p(shown[order], wanted[order]) == pytest.approx(found)


def test_two_images_with_few_impressions_have_the_exact_binomial_test() -> None:
    assert small_p(np.array([0.0, 9.0]), np.array([4.5, 4.5])) == pytest.approx(2 * 0.5**9)
    assert small_p(np.array([0.0, 0.0]), np.array([0.0, 0.0])) == 1.0
