from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.reliability import answer_weights, likely_truth, reliabilities
from tests.models.evaluation.answered import CLASSES
from tests.models.labels.test_agreement import noisy, panel

ACCURACIES = (0.95, 0.9, 0.85, 0.6)


def shown(images: int, seed: int = 0) -> tuple[Panel, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Four experts of known accuracy, each of whom saw about two thirds of the images."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(images) < 0.7).astype(np.intp)
    votes = noisy(truth, ACCURACIES, seed)
    votes[rng.random(votes.shape) < 0.33] = NO_VOTE
    seen = (votes != NO_VOTE).any(axis=1)
    return panel(votes[seen]), truth[seen]


def test_experts_of_known_accuracy_are_told_apart() -> None:
    found = reliabilities(shown(300)[0])
    told = [expert.accuracy.value for expert in found]
    assert told == pytest.approx(ACCURACIES, abs=0.08)
    assert {expert.accuracy.method for expert in found} == {"Dawid-Skene"}
    weights = answer_weights(found)
    assert weights["e0"] == 1
    assert 0.25 <= weights["e3"] < min(weights["e1"], weights["e2"])
    assert json.loads(json.dumps(found[0].to_dict()))["expert"] == "e0"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), images=st.integers(1, 120), right=st.sampled_from([0.0, 0.5, 0.97, 1.0]))
def test_whatever_was_answered_every_figure_lies_in_its_interval(seed: int, images: int, right: float) -> None:
    """Nearly perfect experts once gave a share that was above its interval by one rounding, and a round stopped."""
    rng = np.random.default_rng(seed)
    votes = noisy((rng.random(images) < rng.random()).astype(np.intp), (right, 1.0, 1.0), seed)
    votes[rng.random(votes.shape) < rng.random() * 0.5] = NO_VOTE
    votes[(votes == NO_VOTE).all(axis=1), 0] = 0
    found = reliabilities(panel(votes))
    known = [one.accuracy for one in found if one.accuracy.value is not None]
    assert all((one.lo or 0) <= (one.value or 0) <= (one.hi or 0) for one in known)
    assert all(0.25 <= weight <= 1 for weight in answer_weights(found).values())


def test_experts_who_are_alike_weigh_alike() -> None:
    weights = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        votes = noisy((rng.random(120) < 0.6).astype(np.intp), (0.88, 0.88, 0.88), seed)
        votes[np.arange(120), rng.integers(3, size=120)] = NO_VOTE
        weights += answer_weights(reliabilities(panel(votes))).values()
    assert np.mean(weights) > 0.95


def test_a_newcomer_with_a_few_right_answers_changes_nobodys_weight() -> None:
    rng = np.random.default_rng(3)
    votes = noisy((rng.random(150) < 0.5).astype(np.intp), (0.94, 0.92, 0.6), 3)
    before = answer_weights(reliabilities(panel(votes)))
    fourth = np.full((150, 1), NO_VOTE)
    fourth[:3, 0] = votes[:3, 0]
    after = answer_weights(reliabilities(panel(np.hstack([votes, fourth]))))
    assert before["e2"] < 1
    assert {name: after[name] for name in before} == pytest.approx(before, abs=0.03)
    assert after["e3"] == 1


def test_nobody_weighs_less_where_it_cannot_be_known_who_is_wrong() -> None:
    rng = np.random.default_rng(1)
    votes = noisy((rng.random(200) < 0.5).astype(np.intp), (0.95, 0.55), 1)
    assert answer_weights(reliabilities(panel(votes))) == {"e0": 1.0, "e1": 1.0}


def test_the_likely_truth_is_right_more_often_than_the_majority() -> None:
    gains = []
    for seed in range(3):
        told, truth = shown(300, seed)
        counts = told.counts()
        majority = np.where(counts[:, 0] == counts[:, 1], 0.5, counts.argmax(axis=1) == truth).mean()
        gains.append((likely_truth(told).argmax(axis=1) == truth).mean() - majority)
    assert np.mean(gains) > 0.02


def test_a_small_panel_is_held_against_the_others_majority() -> None:
    found = reliabilities(panel(np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, NO_VOTE]])))
    assert [expert.accuracy.method for expert in found] == ["agreement with the majority of the others"] * 3
    assert found[2].accuracy.value == pytest.approx(2 / 3)
    assert found[2].accuracy.n == 3


def test_an_expert_alone_is_neither_praised_nor_silenced() -> None:
    (alone,) = reliabilities(Panel(("a",), ("a",), ("ana",), CLASSES, np.array([[0]])))
    assert alone.accuracy.value is None
    assert answer_weights([alone]) == {"ana": 1.0}
