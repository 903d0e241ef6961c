from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.evaluation.intervals import percentile_interval, title_draws
from attune.models.labels.agreement import alpha, alpha_without_one, alphas, disputed, panel_parity
from attune.models.labels.answers import UNSURE
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.threads import one_thread
from tests.models.evaluation.answered import CLASSES, answer

Votes = npt.NDArray[np.intp]

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units, alpha .743.
WORKED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def panel(votes: Votes, classes: tuple[str, ...] = CLASSES, titles: tuple[str, ...] | None = None) -> Panel:
    ids = tuple(f"{i:03d}" for i in range(len(votes)))
    return Panel(ids, titles or ids, tuple(f"e{i}" for i in range(votes.shape[1])), classes, votes)


def noisy(truth: Votes, accuracies: tuple[float, ...], seed: int) -> Votes:
    rng = np.random.default_rng([seed, 1])
    right = rng.random((len(truth), len(accuracies))) < np.array(accuracies)
    return np.where(right, truth[:, None], 1 - truth[:, None])


def test_figures_from_draws_in_parts_are_those_of_all_draws_at_once_to_the_last_bit() -> None:
    votes = noisy(np.arange(601) % 2, (0.9, 0.8, 0.7, 0.6), 3)
    votes[::3, 1] = NO_VOTE
    titles = tuple(f"title-{row // 3}" for row in range(len(votes)))
    given = panel(votes, titles=titles)
    draws = title_draws(titles, np.random.default_rng(5))
    with one_thread():
        sample = alphas(given.counts(), np.vstack([np.ones((1, len(votes))), draws]))
    found = alpha(given, 5)
    assert (found.value, found.lo, found.hi) == (sample[0], *percentile_interval(sample[1:], float(sample[0])))


def test_alpha_is_that_of_the_published_example_with_missing_votes() -> None:
    rows = [[NO_VOTE if cell == "." else int(cell) - 1 for cell in line.split()] for line in WORKED.split("\n") if line]
    found = alpha(panel(np.array(rows).T, tuple("12345")))
    assert found.value == pytest.approx(0.743, abs=0.0005)
    assert found.n == 11


def test_one_careless_expert_is_told_from_a_question_that_nobody_agrees_on() -> None:
    truth = (np.random.default_rng(0).random(200) < 0.4).astype(np.intp)
    one_off, all_off = (panel(noisy(truth, rights, 0)) for rights in ((0.93, 0.9, 0.35), (0.62, 0.6, 0.58)))
    assert (alpha(one_off).hi or 1) < 0.4
    without = alpha_without_one(one_off)
    assert without is not None
    assert without[0] == one_off.experts[2]
    assert (without[1].value or 0) > 0.5
    nobody = alpha_without_one(all_off)
    assert nobody is not None
    assert (nobody[1].value or 1) < 0.2
    assert alpha_without_one(panel(noisy(truth, (0.9, 0.4), 0))) is None


def test_a_panel_without_an_expert_keeps_the_images_that_others_answered() -> None:
    votes = np.array([[0, NO_VOTE, NO_VOTE], [0, 1, NO_VOTE], [NO_VOTE, NO_VOTE, 1]])
    rest = panel(votes).leaving_out(0)
    assert rest.experts == ("e1", "e2")
    assert rest.asset_ids == ("001", "002")
    assert rest.votes.tolist() == [[1, NO_VOTE], [NO_VOTE, 1]]


def test_alpha_of_two_observers_and_binary_data_is_the_published_one() -> None:
    # The same paper, section A: ten units, alpha .095.
    votes = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]).T
    assert alpha(panel(votes)).value == pytest.approx(0.095, abs=0.0005)


@given(st.integers(0, 1000), st.integers(2, 5))
def test_alpha_is_1_for_agreement_and_never_more(seed: int, experts: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.append(rng.integers(0, 2, 18), [0, 1])
    agreed = np.stack([20 * [experts]], axis=1).ravel()
    counts = np.stack([np.where(truth == i, agreed, 0) for i in (0, 1)], axis=1)
    assert alphas(counts, np.ones((1, 20)))[0] == pytest.approx(1.0)
    random = rng.multinomial(experts, [0.5, 0.5], size=20)
    assert not alphas(random, np.ones((1, 20)))[0] > 1.0


def test_alpha_of_coin_flips_is_about_nothing() -> None:
    found = [alpha(panel(np.random.default_rng(seed).integers(0, 2, (300, 3)))) for seed in range(20)]
    assert np.mean([metric.value for metric in found]) == pytest.approx(0.0, abs=0.03)
    assert np.mean([(metric.lo or 0.0) <= 0.0 <= (metric.hi or 0.0) for metric in found]) >= 0.8


def test_alpha_says_what_is_missing() -> None:
    assert "0 images have answers of 2 experts" in alpha(panel(np.zeros((20, 1), dtype=np.intp))).reason
    assert "agreement is undefined" in alpha(panel(np.zeros((20, 2), dtype=np.intp))).reason


def test_the_most_evenly_split_image_is_the_most_contested() -> None:
    votes = np.array([[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1], [0, 1, NO_VOTE, NO_VOTE]])
    found = disputed(panel(votes))
    assert [image.asset_id for image in found] == ["001", "003", "002"]
    assert found[1].votes == {"e0": "romance", "e1": "neither"}
    assert [round(image.split, 2) for image in found] == [1.0, 1.0, 0.81]


def test_an_unsure_answer_is_no_vote() -> None:
    told = Panel.of([answer("a", "ana", UNSURE), answer("b", "ana", "romance"), answer("b", "ben", "neither")], CLASSES)
    assert told.asset_ids == ("b",)
    assert told.votes.tolist() == [[0, 1]]


def test_a_probe_as_good_as_the_experts_is_on_a_par_and_a_blind_one_is_not() -> None:
    truth = (np.random.default_rng(1).random(400) < 0.6).astype(np.intp)
    votes = noisy(truth, (0.85, 0.85, 0.85), 2)
    as_good, blind = noisy(truth, (0.85, 0.5), 3).T
    on_a_par = panel_parity(panel(votes), np.eye(2)[as_good])
    assert on_a_par.difference.lo is not None
    assert on_a_par.difference.hi is not None
    assert on_a_par.difference.lo < 0 < on_a_par.difference.hi
    worse = panel_parity(panel(votes), np.eye(2)[blind])
    assert worse.difference.hi is not None
    assert worse.difference.hi < -0.2
    assert worse.expert == on_a_par.expert


def test_parity_leaves_out_images_without_a_prediction_and_refuses_other_shapes() -> None:
    votes = noisy(np.tile([0, 1], 30), (0.9, 0.9, 0.9), 0)
    proba = np.full((60, 2), np.nan)
    assert "0 images have a majority" in panel_parity(panel(votes), proba).expert.reason
    with pytest.raises(DataError, match=r"Expected \(60, 2\), one row per asset"):
        panel_parity(panel(votes), proba[:5])


def test_an_impossible_panel_cannot_be_built() -> None:
    with pytest.raises(DataError, match="Votes are between 0 and 2"):
        panel(np.array([[0, 2]]))
