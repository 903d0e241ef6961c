"""Effects within titles: popularity cancels, errors are the titles', and nothing depends on the order of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError, NotEnoughLabels
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.within_title import contrast, per_standard_deviation, within_title


def world(
    effect: float, seed: int = 0, titles: int = 400, images: int = 4, tau: float = 0.0
) -> tuple[Outcomes, Floats]:
    """Titles whose popularity follows how many of their images have the property."""
    rng = np.random.default_rng(seed)
    title = np.repeat(np.arange(titles), images)
    popular = rng.normal(size=titles)
    x = (rng.random(len(title)) < 1 / (1 + np.exp(-2 * popular[title]))).astype(float)
    own = effect + tau * rng.normal(size=titles)
    shown = rng.integers(2_000, 8_000, len(title))
    taken = rng.poisson(shown * 0.02 * np.exp(0.5 * popular[title] + own[title] * x))
    rows = outcomes(np.arange(len(title)), title, title % 3, shown, np.minimum(taken, shown))
    return rows, x[rows.asset]


def test_the_effect_is_found_although_popular_titles_have_the_property_more_often() -> None:
    rows, x = world(0.1)
    found = within_title(rows, x)
    assert abs(found.estimate - 0.1) < 3 * found.se
    assert found.ci[0] < found.estimate < found.ci[1]
    assert found.p < 0.001
    rates = [rows.takes[x == side].sum() / rows.impressions[x == side].sum() for side in (1, 0)]
    assert np.log(rates[0] / rates[1]) > 0.3  # what pooled rates would say


@given(st.integers(0, 5))
@settings(max_examples=5, deadline=None)
def test_the_order_of_rows_and_the_numbers_of_titles_change_nothing(seed: int) -> None:
    rows, x = world(-0.1, titles=60)
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = rows.where(order)
    again = outcomes(shuffled.asset, shuffled.title, shuffled.canvas, shuffled.impressions, shuffled.takes)
    by_asset = np.empty(len(rows))
    by_asset[rows.asset] = x
    assert within_title(again, by_asset[again.asset]) == within_title(rows, x)


def test_errors_are_clustered_by_title_and_not_by_canvas() -> None:
    rows, x = world(0.0, titles=60)
    asset, title, shown, taken = (
        np.tile(column, 2) for column in (rows.asset, rows.title, rows.impressions, rows.takes)
    )
    twice = outcomes(asset, title, np.r_[rows.canvas, rows.canvas + 3], shown, taken)
    by_asset = np.empty(len(rows))
    by_asset[rows.asset] = x
    once, copied = within_title(rows, x), within_title(twice, by_asset[twice.asset])
    assert copied.estimate == pytest.approx(once.estimate, abs=1e-9)
    assert copied.se == pytest.approx(once.se, rel=1e-9)  # a copy of the data is no new evidence
    assert copied.model_se < 0.8 * once.model_se


def test_titles_that_differ_from_each_other_are_reported() -> None:
    rows, x = world(0.1, titles=800, tau=0.3)
    found = within_title(rows, x)
    assert found.tau == pytest.approx(0.3, abs=0.06)
    assert found.share_other_way == pytest.approx(0.37, abs=0.06)
    alike = within_title(*world(0.3, titles=800))
    assert alike.share_other_way < 0.02


def test_large_effects_converge_and_cells_without_a_say_are_not_counted() -> None:
    rows, x = world(2.5)
    assert within_title(rows, x).estimate == pytest.approx(2.5, abs=0.1)
    lonely = outcomes([0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0], [100, 100, 100, 100], [10, 20, 5, 5])
    found = within_title(lonely, [1, 0, 1, 1], least_titles=1)
    assert (found.titles, found.assets, found.impressions) == (1, 2, 200)
    assert found.estimate == pytest.approx(np.log(0.5))


def test_what_cannot_be_answered_says_why() -> None:
    rows, x = world(0.1, titles=20)
    with pytest.raises(NotEnoughLabels, match="At least 30"):
        within_title(rows, x)
    with pytest.raises(NotEnoughLabels, match="cannot be compared within titles"):
        within_title(rows, rows.title.astype(float))
    never = Outcomes(rows.asset, rows.title, rows.canvas, rows.impressions, rows.takes * (x == 1))
    with pytest.raises(NotEnoughLabels, match="no takes"):
        within_title(never, x, least_titles=2)
    with pytest.raises(DataError, match="at most the impressions"):
        outcomes([0], [0], [0], [10], [11])


def test_contrasts_and_standard_deviations() -> None:
    assert np.array_equal(contrast(["a", "b", "c"], "a", "b"), [1, 0, np.nan], equal_nan=True)
    scaled, deviation = per_standard_deviation([1.0, 1.0, 3.0, np.nan], np.array([7, 7, 8, 9]))
    assert deviation == 1.0
    assert np.array_equal(scaled, [-1, -1, 1, np.nan], equal_nan=True)
    with pytest.raises(NotEnoughLabels, match="same value"):
        per_standard_deviation([2.0, 2.0], np.array([0, 1]))
