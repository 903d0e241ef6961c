from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from attune.models.errors import DataError
from attune.models.evaluation.metrics import Metric, average_precision, in_words, log_odds, too_few, unknown

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3), st.floats(0.1, 10)), min_size=2, max_size=60).filter(
    lambda held: any(y for y, *_ in held)
)


@given(rows)
def test_weighted_average_precision_is_scikit_learns_ties_included(held: list[tuple[int, int, float]]) -> None:
    y, score, weight = (np.array(column, dtype=float) for column in zip(*held, strict=True))
    expected = average_precision_score(y, score, sample_weight=weight)
    assert average_precision(y, score, weight) == pytest.approx(expected)


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=60), st.integers(1, 60))
def test_a_perfect_ranking_is_1_and_never_rounds_above(weight: list[float], positives: int) -> None:
    y = (np.arange(len(weight)) < positives).astype(float)
    assert 1 - 1e-9 < average_precision(y, -np.arange(len(weight)), weight) <= 1.0


def test_average_precision_without_a_positive_is_not_a_number() -> None:
    assert math.isnan(average_precision([0, 0], [0.1, 0.2]))
    assert math.isnan(average_precision([], []))


def test_a_metric_comes_back_from_json_even_with_keys_of_a_later_version() -> None:
    metric = Metric("average_precision", 0.5, 0.4, 0.6, 120, "audit", positives=31)
    held = json.loads(json.dumps(metric.to_dict() | {"added_later": 1}))
    assert Metric.from_dict(held) == metric
    assert str(metric) == "average_precision 0.500 [0.400, 0.600] (n = 120)"
    assert metric.width == pytest.approx(0.2)


def test_a_figure_that_cannot_be_had_says_why() -> None:
    metric = unknown("recall:romance", 4, "audit", "1 answers for and 3 against it")
    assert str(metric) == "recall:romance: unknown (1 answers for and 3 against it)"
    assert metric.width == math.inf


@pytest.mark.parametrize(
    "wrong", [(0.5, 0.6, 0.7, ""), (None, None, None, ""), (None, 0.1, 0.2, "why"), (0.5, 0.4, None, "")]
)
def test_a_metric_outside_its_interval_or_without_a_reason_cannot_be_built(wrong: tuple[object, ...]) -> None:
    value, lo, hi, reason = wrong
    with pytest.raises(DataError):
        Metric("m", value, lo, hi, 10, "audit", reason=reason)  # type: ignore[arg-type]


def test_log_odds_are_finite_and_turn_back() -> None:
    p = np.array([0.0, 0.25, 0.5, 1.0])
    assert np.isfinite(log_odds(p)).all()
    assert np.allclose(1 / (1 + np.exp(-log_odds(p))), p, atol=1e-9)


def test_too_few_counts_both_sides() -> None:
    assert too_few(np.array([1.0, 1, 1, 0, 0, 0])) == ""
    assert too_few(np.array([1.0, 1, 1, 0])) == "3 positive answers and 1 negative, at least 3 of each are needed"


def test_an_early_figure_is_told_as_an_interval_alone() -> None:
    early = Metric("ap", 0.8, 0.3, 0.95, 12, "m", level=0.99).to_dict()
    assert in_words(early) == "[0.300, 0.950] (early, 99 %)"
    assert in_words({key: value for key, value in early.items() if key != "level"}) == in_words(early)
    assert in_words(Metric("ap", 0.8, 0.7, 0.9, 60, "m").to_dict()) == "0.800 [0.700, 0.900]"
    assert in_words(Metric("ap", 0.8, 0.2, 0.9, 60, "m", level=0.99).to_dict()).startswith("[0.2")
    assert in_words({}) == "unknown"
