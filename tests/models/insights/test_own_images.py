"""Each image of a title beside the others: right where places differ, silent where counts are few."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.insights.own_images import own_images

IMAGE, PLACE = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])


def test_a_place_where_everything_is_taken_more_often_does_not_flatter_the_image_that_is_shown_there() -> None:
    shown, rate = np.array([9000.0, 1000.0, 1000.0, 9000.0]), np.array([0.2, 0.2, 0.02, 0.02])
    first, second = own_images(IMAGE, PLACE, shown, shown * rate)
    assert first.takes / first.impressions > 4 * second.takes / second.impressions, "in one pot it looks far better"
    assert first.ratio is not None
    assert first.low is not None
    assert first.high is not None
    assert abs(first.ratio - 1) < 1e-9
    assert first.low < 1 < first.high
    assert second.ratio is not None
    better, worse = own_images(IMAGE, PLACE, shown, shown * rate * np.array([1.5, 1.0, 1.5, 1.0]))
    assert (round(better.ratio or 0, 9), round(worse.ratio or 0, 9)) == (1.5, round(1 / 1.5, 9))
    assert (better.low or 0) > 1


def test_an_image_that_was_nowhere_beside_another_or_hardly_taken_has_no_figure() -> None:
    apart = own_images(np.array([0, 1]), np.array([0, 1]), np.array([5000.0, 5000.0]), np.array([200.0, 300.0]))
    assert [one.ratio for one in apart] == [None, None]
    few = own_images(np.array([0, 1]), np.array([0, 0]), np.array([5000.0, 500.0]), np.array([200.0, 29.0]))
    assert [(one.takes, one.ratio) for one in few] == [(200.0, None), (29.0, None)]


def test_strata_in_parts_give_the_same_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    shown = rng.integers(1, 50, size=900).astype(float)
    columns = (rng.integers(4, size=900), rng.integers(120, size=900), shown, shown * rng.random(900))
    whole = own_images(*columns)
    monkeypatch.setattr("attune.models.insights.own_images.CELLS", 4 * 7)
    assert own_images(*columns) == whole
    assert None not in [one.ratio for one in whole]


def test_of_equal_images_hardly_a_title_has_one_that_looks_better_or_worse() -> None:
    rng, wrong, titles = np.random.default_rng(0), 0, 600
    for _ in range(titles):
        taken = rng.binomial(3000, np.repeat([0.1, 0.02], 6)).astype(float)
        found = own_images(np.tile(np.arange(6), 2), np.repeat([0, 1], 6), np.full(12, 3000.0), taken)
        wrong += any((one.low or 0) > 1 or (one.high or 2) < 1 for one in found)
    assert wrong / titles < 0.07, (
        "5 % with an error of .9: one image alone would be said to differ in a quarter of them"
    )
