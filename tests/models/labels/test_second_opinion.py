from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import DataError
from attune.models.labels.panel import NO_VOTE
from attune.models.labels.second_opinion import confidence, second_opinions, unlabelled_confidence, voice_weights
from tests.models.labels.test_agreement import noisy, panel

_ = NO_VOTE


def test_a_contested_image_and_one_the_probe_disputes_come_before_an_agreed_one() -> None:
    votes = np.array([[0, 0, _], [0, 1, _], [0, 0, _], [1, 1, _]] + [[0, 0, 0], [1, 1, 1]] * 10)
    proba = np.where(votes[:, [0]] == 0, [[0.9, 0.1]], [[0.1, 0.9]]).astype(float)
    proba[2] = [0.05, 0.95]
    found = second_opinions(panel(votes), proba, ("e0", "e1", "e2"), 2)
    assert {one.asset_id for one in found} == {"001", "002"}
    assert {one.expert for one in found} == {"e2"}
    reasons = {one.asset_id: one.reason for one in found}
    assert reasons["001"] == "the experts disagree: 1 romance, 1 neither"
    assert reasons["002"] == "the experts agree, the probe does not"


def test_nobody_is_asked_about_an_image_they_answered() -> None:
    votes = np.array([[0, 1], [0, _]])
    proba = np.full((2, 2), 0.5)
    assert [(one.asset_id, one.expert) for one in second_opinions(panel(votes), proba, ("e0", "e1"), 5)] == [
        ("001", "e1")
    ]


def test_the_more_reliable_expert_is_asked_first() -> None:
    truth = (np.random.default_rng(0).random(200) < 0.5).astype(np.intp)
    votes = noisy(truth, (0.95, 0.9, 0.6), 1)
    votes[:20, 0] = votes[:20, 2] = _
    told = panel(votes)
    proba = np.eye(2)[truth] * 0.6 + 0.2
    assert voice_weights(told, proba).experts[0] > voice_weights(told, proba).experts[2]
    asked = [one for one in second_opinions(told, proba, told.experts, 200) if int(one.asset_id) < 20]
    assert {one.expert for one in asked} == {"e0"}


def test_second_opinions_mend_more_labels_than_random_ones() -> None:
    gains = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = (rng.random(200) < 0.6).astype(np.intp)
        everything = noisy(truth, (0.85, 0.85, 0.85, 0.85), seed)
        votes = np.where(np.arange(4) < 2, everything, _)
        proba = np.clip(np.eye(2)[noisy(truth, (0.6,), seed + 50)[:, 0]], 0.2, 0.8)
        told = panel(votes)
        asked = second_opinions(told, proba, told.experts, 50)
        chosen = [(int(one.asset_id), told.experts.index(one.expert)) for one in asked]
        free = np.argwhere(votes == _)
        random = free[rng.permutation(len(free))[:50]].tolist()
        right = []
        for pairs in (chosen, random):
            after = votes.copy()
            for row, seat in pairs:
                after[row, seat] = everything[row, seat]
            counts = np.stack([(after == i).sum(axis=1) for i in (0, 1)], axis=1)
            right.append((((counts + 0.1 * proba).argmax(axis=1)) == truth).mean())
        gains.append(right[0] - right[1])
    assert np.mean(gains) > 0.02


def test_a_labelled_image_is_surer_than_an_unlabelled_one_that_looks_alike() -> None:
    votes = np.array([[0, 0], [1, 1], [0, 1]] * 10)
    proba = np.tile([0.6, 0.4], (30, 1))
    told = panel(votes)
    heard = voice_weights(told, proba)
    new = unlabelled_confidence([[0.6, 0.4]], heard)[0]
    assert confidence(told, proba)[0] > new
    assert confidence(told, proba)[2] < confidence(told, proba)[0]


def test_probabilities_for_every_image_are_needed() -> None:
    with pytest.raises(DataError, match="one row per asset"):
        second_opinions(panel(np.array([[0, 1]])), np.zeros((2, 2)), ("e0",), 1)
