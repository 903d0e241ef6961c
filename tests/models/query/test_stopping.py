from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.evaluation.metrics import Metric, average_precision
from attune.models.query.stopping import Checkpoint, Goals, advise, expected_gain, movement, movements

Floats = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)
SIGNAL = RNG.normal(size=800)
SHARE = 0.2


def learning(labels: list[int], noise: list[float]) -> list[Checkpoint]:
    return [
        Checkpoint(n, SIGNAL + sigma * np.random.default_rng(n).normal(size=len(SIGNAL)))
        for n, sigma in zip(labels, noise, strict=True)
    ]


def audit(width: float) -> Metric:
    return Metric("average_precision", 0.6, 0.6 - width / 2, 0.6 + width / 2, 120, "audit", positives=40)


def test_movement_is_the_average_precision_that_the_older_ranking_lacks() -> None:
    older = SIGNAL + RNG.normal(size=800)
    truths = [np.random.default_rng(i).random(800) < 1 / (1 + np.exp(-(2 * SIGNAL - 2))) for i in range(60)]
    lost = [average_precision(y, SIGNAL) - average_precision(y, older) for y in truths]
    assert movement(older, SIGNAL, float(np.mean(truths))) == pytest.approx(np.mean(lost), abs=0.02)
    assert movement(SIGNAL, SIGNAL, SHARE) == 0.0


def test_how_sharp_a_probe_is_does_not_make_it_look_settled() -> None:
    older = SIGNAL + RNG.normal(size=800)
    assert movement(older, 0.01 * SIGNAL + 3.0, SHARE) == pytest.approx(movement(older, SIGNAL, SHARE))


def test_each_checkpoint_is_compared_with_one_of_half_its_labels() -> None:
    found = movements(learning([20, 40, 60, 120], [1.0, 1.0, 0.0, 0.0]), SHARE)
    assert [n for n, _ in found] == [40, 60, 120]
    assert found[-1][1] == 0.0


def test_a_ranking_that_still_moves_says_go_on_and_what_to_expect() -> None:
    advice = advise(learning([40, 80, 100], [2.0, 1.0, 0.5]), SHARE, average_precision=audit(0.3))
    assert (advice.state, advice.stop) == ("labelling", False)
    assert advice.expected_gain is not None
    assert advice.expected_gain > 0
    assert "next 50 answers should raise the average precision by about 0.0" in advice.sentence


def test_settled_needs_two_looks_and_stop_a_narrow_interval_too() -> None:
    once = learning([50, 100, 200], [2.0, 0.0, 0.0])
    assert advise(once, SHARE).state == "labelling"
    twice = learning([50, 60, 120, 140], [0.0, 0.0, 0.0, 0.0])
    wide = advise(twice, SHARE, average_precision=audit(0.4))
    assert (wide.state, wide.stop) == ("settled", False)
    assert "request audit answers" in wide.sentence
    narrow = advise(twice, SHARE, average_precision=audit(0.1))
    assert (narrow.state, narrow.stop) == ("settled", True)
    assert "Stop" in narrow.sentence
    assert "140 labels" in narrow.sentence
    assert "0.10" in narrow.sentence


def test_two_looks_at_nearly_the_same_labels_count_as_one() -> None:
    assert advise(learning([50, 100, 101], [0.0, 0.0, 0.0]), SHARE).state == "labelling"


def test_few_labels_never_settle_and_nothing_is_foretold_from_them() -> None:
    advice = advise(learning([10, 20, 30, 40], [0.0] * 4), SHARE)
    assert advice.state == "labelling"
    assert "forecast needs more answers" in advice.sentence


def test_a_gain_is_foretold_on_the_scale_that_the_figures_have() -> None:
    labels = [50, 100, 200]
    assert advise(learning(labels, [2.0, 0.0, 0.0]), SHARE).sentence == (
        "Request audit answers: the quality is not measured yet. The next 50 answers should raise the average "
        "precision by less than 0.01."
    ), "nobody is told to go on for nothing"
    assert "by about 0.0" in advise(learning(labels, [2.0, 2.0, 2.0]), SHARE).sentence


def test_a_narrow_interval_alone_says_publish_but_not_stop() -> None:
    advice = advise(learning([40, 80], [2.0, 0.5]), SHARE, average_precision=audit(0.15))
    assert (advice.state, advice.stop) == ("narrow", False)
    assert "Publish" in advice.sentence
    assert "0.15 wide" in advice.sentence


def test_a_pool_without_further_positives_is_exhausted() -> None:
    advice = advise(learning([40, 100], [2.0, 0.5]), SHARE, found_positives=96, remaining=4)
    assert (advice.state, advice.stop) == ("exhausted", True)
    assert "about 4 % of the positive images" in advice.sentence


def test_experts_who_do_not_agree_make_it_hopeless_before_anything_else() -> None:
    low = Metric("alpha", 0.2, 0.1, 0.3, 60, "alpha")
    advice = advise(learning([50, 60, 120, 140], [0.0] * 4), SHARE, average_precision=audit(0.1), alpha=low)
    assert (advice.state, advice.stop) == ("hopeless", True)
    assert re.findall(r"0\.\d+", advice.sentence) == ["0.20", "0.30", "0.4"]  # alpha, its upper end, the goal
    unsure = replace(low, hi=0.6)
    assert advise([], None, alpha=unsure).state == "labelling"


def test_where_the_rest_agree_the_advice_is_about_one_expert_and_not_about_the_definition() -> None:
    low = Metric("alpha", 0.1, 0.0, 0.3, 60, "m")
    rest = Metric("alpha", 0.61, 0.4, 0.8, 40, "m")
    advice = advise([], None, alpha=low, alpha_without_one=rest)
    assert (advice.state, advice.stop) == ("outlier", True)
    assert "0.10" in advice.sentence
    assert "0.61 without" in advice.sentence
    assert advise([], None, alpha=low, alpha_without_one=replace(rest, value=0.35, lo=0.1)).state == "hopeless"
    assert advise([], None, alpha=low, alpha_without_one=replace(rest, lo=0.2)).state == "hopeless", "by chance"
    few = replace(low, n=20)
    assert advise([], None, alpha=few, alpha_without_one=rest).evidence["alpha_without_one"] is None
    agreeing = Metric("alpha", 0.5, 0.45, 0.6, 60, "m")
    assert advise([], None, alpha=agreeing, alpha_without_one=rest).state == "labelling"


def test_before_any_probe_there_is_advice_and_it_is_json() -> None:
    advice = advise([], None)
    assert json.loads(json.dumps(advice.to_dict()))["sentence"].startswith("Continue")


@given(st.integers(20, 5000), st.floats(0, 0.5), st.integers(1, 500))
def test_more_answers_promise_more_and_more_labels_less(labels: int, moved: float, answers: int) -> None:
    assert expected_gain(labels, moved, answers) <= expected_gain(labels, moved, answers + 50)
    assert expected_gain(labels, moved, answers) >= expected_gain(labels + 50, moved, answers) >= 0.0


def test_a_stricter_goal_stops_later() -> None:
    checkpoints = learning([50, 60, 120, 140], [0.05, 0.05, 0.0, 0.0])
    assert advise(checkpoints, SHARE).state == "settled"
    assert advise(checkpoints, SHARE, goals=Goals(movement=1e-6)).state == "labelling"


def test_scores_of_other_assets_are_refused() -> None:
    with pytest.raises(DataError, match="Expected the same assets and classes twice"):
        movement(SIGNAL[:5], SIGNAL, SHARE)


def test_a_few_shared_images_call_no_definition_hopeless() -> None:
    few = Metric("alpha", 0.0, -0.2, 0.1, 12, "alpha")
    assert advise([], None, alpha=few).state == "labelling"
    assert advise([], None, alpha=replace(few, n=30)).state == "hopeless"
