"""Which answers are probably wrong: planted mistakes come first, and nothing but what was said matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from attune.models.errors import DataError
from attune.models.labels.label_errors import LISTED, SuspectedError, judge, suspected_errors, trusted
from attune.models.labels.labels import Labels
from attune.models.labels.panel import NO_VOTE, Panel
from tests.models.labels.test_agreement import Votes, noisy, panel

CLASSES = ("romance", "friendship", "neither")
SEEDS = st.integers(0, 2**16)


def drawn(seed: int, assets: int = 40, experts: int = 3, classes: int = 3) -> tuple[Panel, np.ndarray]:
    """A panel with holes, every asset with a vote, and a probe that is right more often than not."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(0, classes, (assets, experts))
    votes[rng.random(votes.shape) < 0.5] = NO_VOTE
    votes[:, 0] = np.where((votes == NO_VOTE).all(axis=1), 0, votes[:, 0])
    return panel(votes.astype(np.intp), CLASSES[:classes]), rng.dirichlet(np.full(classes, 0.4), assets)


def same(found: list[SuspectedError], expected: list[SuspectedError]) -> None:
    """The same answers in the same order, with the same numbers."""
    key = [(one.asset_id, one.expert, one.given, one.expected) for one in found]
    assert key == [(one.asset_id, one.expert, one.given, one.expected) for one in expected]
    assert [one.right for one in found] == pytest.approx([one.right for one in expected], abs=1e-8)


def test_an_answer_that_the_probe_contradicts_comes_before_one_that_it_doubts() -> None:
    votes: Votes = np.array([[0], [0], [0], [1]])
    found = suspected_errors(panel(votes, CLASSES[:2]), [[0.99, 0.01], [0.01, 0.99], [0.06, 0.94], [0.6, 0.4]])
    assert [(one.asset_id, one.given, one.expected, one.probe) for one in found] == [
        ("001", "romance", "friendship", 0.99),
        ("002", "romance", "friendship", 0.94),
    ]


def test_another_expert_who_says_the_same_speaks_for_the_answer_and_one_who_differs_against() -> None:
    votes: Votes = np.array([[0, NO_VOTE], [0, 0], [0, 1]])
    right = judge(panel(votes, CLASSES[:2]), [[0.2, 0.8]] * 3).right[:, 0]
    assert right[2] < right[0] < right[1]
    assert right[2] < LISTED


def test_a_careless_expert_is_suspected_where_a_careful_one_is_not() -> None:
    truth = (np.random.default_rng(3).random(300) < 0.5).astype(np.intp)
    votes = noisy(truth, (0.97, 0.95, 0.6), 3)
    votes[:60, 1:], votes[30:60, 0] = NO_VOTE, NO_VOTE
    votes[30:60, 2] = 1 - truth[30:60]
    votes[:30, 0] = 1 - truth[:30]
    judged = judge(panel(votes, CLASSES[:2]), np.where(np.eye(2)[truth] == 1, 0.85, 0.15))
    assert judged.accuracy[2] < 0.7 < judged.accuracy[1]
    assert judged.right[30:60, 2].max() < LISTED < judged.right[:30, 0].min(), "the same answers, by another person"


@given(SEEDS)
def test_the_order_of_images_changes_nothing(seed: int) -> None:
    told, proba = drawn(seed)
    rows = np.random.default_rng(seed + 1).permutation(len(told.asset_ids))
    mixed = Panel(
        tuple(told.asset_ids[i] for i in rows),
        tuple(told.title_ids[i] for i in rows),
        told.experts,
        told.classes,
        told.votes[rows],
    )
    same(suspected_errors(mixed, proba[rows]), suspected_errors(told, proba))


@given(SEEDS)
def test_the_names_and_the_order_of_classes_and_experts_change_nothing(seed: int) -> None:
    told, proba = drawn(seed)
    order, seats = (np.random.default_rng(seed + 2).permutation(3) for _ in range(2))
    place = np.argsort(order)
    votes = np.where(told.votes == NO_VOTE, NO_VOTE, place[told.votes])[:, seats]
    names = {told.classes[i]: f"class {place[i]}" for i in range(3)}
    renamed = Panel(
        told.asset_ids,
        told.title_ids,
        tuple(told.experts[i] for i in seats),
        tuple(names[told.classes[i]] for i in order),
        votes,
    )
    expected = [
        SuspectedError(one.asset_id, one.expert, names[one.given], names[one.expected], one.probe, one.right)
        for one in suspected_errors(told, proba)
    ]
    same(suspected_errors(renamed, proba[:, order]), expected)


@given(SEEDS)
def test_a_planted_mistake_ranks_above_the_answer_that_it_replaced(seed: int) -> None:
    told, proba = drawn(seed, experts=2, classes=2)
    proba = np.where(np.abs(proba - 0.5) < 0.05, [0.7, 0.3], proba)
    rng = np.random.default_rng(seed + 3)
    alone = np.flatnonzero((told.votes != NO_VOTE).sum(axis=1) == 1)
    if not len(alone):
        return
    row = int(rng.choice(alone))
    seat = int(np.flatnonzero(told.votes[row] != NO_VOTE)[0])
    votes = told.votes.copy()
    votes[row, seat] = proba[row].argmax()
    kept = Panel(told.asset_ids, told.title_ids, told.experts, told.classes, votes)
    votes = votes.copy()
    votes[row, seat] = 1 - votes[row, seat]
    flipped = Panel(told.asset_ids, told.title_ids, told.experts, told.classes, votes)

    def place(one: Panel) -> int:
        right = judge(one, proba).right
        return int((right[~np.isnan(right)] < right[row, seat]).sum())

    assert judge(flipped, proba).right[row, seat] < judge(kept, proba).right[row, seat]
    assert place(flipped) <= place(kept)


def test_planted_mistakes_of_several_experts_are_found_better_with_the_others_than_without() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(400) < 0.4).astype(np.intp)
    votes = noisy(truth, (0.9, 0.9, 0.9), 1)
    wrong = votes != truth[:, None]
    proba = np.clip(np.eye(2)[truth] * 0.4 + 0.3 + rng.normal(0, 0.15, (400, 1)) * [1, -1], 0.05, 0.95)
    proba = proba / proba.sum(axis=1, keepdims=True)
    right = judge(panel(votes, CLASSES[:2]), proba).right
    alone = np.take_along_axis(proba, votes, axis=1)
    found, naive = (average_precision_score(wrong.ravel(), -score.ravel()) for score in (right, alone))
    assert found > naive + 0.1


def test_a_second_fit_leans_less_on_what_is_probably_wrong_and_as_before_on_what_no_one_is_sure_of() -> None:
    votes: Votes = np.array([[0], [0]])
    labels = Labels(("000", "001", "unsure"), ("a", "b", "c"), np.array([[1, 0], [1, 0], [0.5, 0.5]]), np.full(3, 0.8))
    found = trusted(labels, panel(votes, CLASSES[:2]), [[0.95, 0.05], [0.02, 0.98]])
    assert found.weights[0] == pytest.approx(0.8, abs=0.02)
    assert 0 < found.weights[1] < 0.2
    assert found.weights[2] == 0.8
    assert np.array_equal(found.shares, labels.shares)


def test_no_answers_are_no_suspects() -> None:
    empty = Panel((), (), (), CLASSES, np.empty((0, 0), dtype=np.intp))
    assert suspected_errors(empty, np.empty((0, 3))) == []


@pytest.mark.parametrize("wrong", [[[0.5, 0.5]], [[np.nan, 1.0]] * 2, [[1.2, -0.2]] * 2])
def test_numbers_that_are_no_probabilities_are_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(DataError):
        judge(panel(np.array([[0], [1]]), CLASSES[:2]), wrong)
