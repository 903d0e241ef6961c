"""What goes with takes across titles is asked of titles that no model learned from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import threadpool_limits

from attune.models.errors import NotEnoughLabels
from attune.models.insights.goes_with import BOOSTING, LINEAR, Share, learn, target
from attune.models.insights.outcomes import outcomes
from attune.models.insights.side_means import side_means, thirds


def test_features_that_predict_other_titles_add_something_and_a_titles_own_name_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    titles, each = 150, 4
    title = np.repeat(np.arange(titles), each)
    genre, bright = rng.integers(0, 2, titles)[title].astype(float), rng.normal(size=titles * each)
    popular = rng.normal(0, 0.4, titles)[title]
    code = rng.permutation(titles)[title].astype(float)  # known, it would tell each title's popularity
    rate = 0.02 * np.exp(0.6 * genre + 0.5 * (np.abs(bright) > 1) + popular)
    rows = outcomes(range(titles * each), title, np.zeros(titles * each), np.full(titles * each, 5000.0),
                    rng.binomial(5000, rate))  # fmt: skip
    log, weight, of = target(rows, titles * each)
    assert (of == title).all()
    bright[::50] = np.nan
    features = {"genre": genre[:, None], "bright": bright[:, None], "code": code[:, None]}
    threads: list[int] = []
    with threadpool_limits(2):  # as outside of the tests, on two cores
        found = learn(features, log, weight, of, step=lambda _, __: threads.append(_openmp_effective_n_threads()))
    assert set(threads) == {1}, "on a busy machine, threads that share so little work wait for each other for minutes"
    for model in (BOOSTING, LINEAR):
        assert 0.1 < found.explains[model].mean < 0.7
        assert found.adds[model]["genre"].low > 0
        assert found.adds[model]["code"].mean < 0.05
    assert found.adds[BOOSTING]["bright"].low > 0  # neither more nor less of it: trees see it, a line does not
    assert found.adds[LINEAR]["bright"].mean < 0.02
    few = title < 40
    with pytest.raises(NotEnoughLabels, match="60 titles"):
        learn({"genre": genre[few, None]}, log[few], weight[few], of[few])


def test_a_side_is_beside_an_average_image_however_much_titles_differ() -> None:
    rng = np.random.default_rng(1)
    titles, each, effect = 400, 6, 0.3
    title = np.repeat(np.arange(titles), each)
    has = rng.random(titles * each) < 0.25
    rate = 0.01 * np.exp(effect * has + rng.normal(0, 0.8, titles)[title])
    shown = np.full(titles * each, 20_000.0)
    rows = outcomes(range(titles * each), title, np.zeros(titles * each), shown, rng.binomial(20_000, rate))
    log, weight, of = target(rows, titles * each)
    assert np.average(log, weights=weight) < -0.2, "most titles are less popular than the mean rate"
    sides = np.where(has, "yes", "no").astype(object)
    more, fewer = side_means(sides, log, weight, of)
    share = weight[has].sum() / weight.sum()
    assert (more.side, fewer.side) == ("yes", "no")
    assert share * more.mean + (1 - share) * fewer.mean == pytest.approx(0)
    for found, true in ((more, effect * (1 - share)), (fewer, -effect * share)):
        assert found.low < true < found.high
        assert found.high - found.low < 0.15
    sides[np.flatnonzero(~has)[::2]] = "other"
    same = next(one for one in side_means(sides, log, weight, of) if one.side == "yes")
    assert same.mean == pytest.approx(more.mean)
    assert same.high - same.low > 1.03 * (more.high - more.low), "the largest of three sides is luckier than of two"


def test_a_title_alone_on_a_canvas_is_not_compared_with_itself() -> None:
    rows = outcomes([0, 1, 2, 3, 0], [0, 1, 2, 2, 0], [0, 0, 1, 1, 2], np.full(5, 1000.0), [10, 30, 10, 90, 500])
    log, weight, title = target(rows, 4)
    assert title.tolist() == [0, 1, -1, -1]
    assert (weight > 0).tolist() == [True, True, False, False]
    assert log[:2] == pytest.approx(np.log([10.5 / 20.5, 30.5 / 20.5]))


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 2, 2, 2, 2], [""] * 6),
        ([1, 1, 1, 1, 1, 2], ["low"] * 5 + ["high"]),
        ([1, 1, 1, 2, 2, 2], ["low"] * 3 + ["high"] * 3),
        ([1, 2, 3, 4, 5, 5], ["low"] * 2 + ["middle"] * 2 + ["high"] * 2),
        ([1, 2, 3, 4, 5, np.nan], ["low", "low", "middle", "high", "high", ""]),
    ],
)
def test_thirds_of_equal_numbers_name_no_large_one_low(numbers: list[float], told: list[str]) -> None:
    assert thirds(np.array(numbers, dtype=float)).tolist() == told


def test_an_interval_over_folds_allows_for_what_they_share() -> None:
    found = Share.of(np.array([0.1, 0.2, 0.3, 0.4, 0.5]))
    plain = 2.7764 * np.std([0.1, 0.2, 0.3, 0.4, 0.5], ddof=1) / np.sqrt(5)
    assert found.high - found.mean == pytest.approx(1.5 * plain, rel=1e-4)
