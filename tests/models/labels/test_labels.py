from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.errors import ConflictingLabels, DataError
from attune.models.labels.answers import SKIP, UNSURE, Answer
from attune.models.labels.labels import Labels, consensus
from tests.models.evaluation.answered import CLASSES, NOON, answer

some_answers = st.lists(
    st.builds(
        answer,
        st.sampled_from("abcde"),
        st.sampled_from(["ana", "ben", "cleo"]),
        st.sampled_from([*CLASSES, UNSURE, SKIP]),
        st.integers(0, 3),
    ),
    max_size=30,
)


@given(some_answers, st.integers(0, 100))
def test_the_order_in_which_answers_arrive_changes_nothing(answers: list[Answer], seed: int) -> None:
    shuffled = random.Random(seed).sample(answers, len(answers))
    assert consensus(answers, CLASSES) == consensus(shuffled, CLASSES)


@given(some_answers)
def test_every_consensus_is_a_share_and_a_weight_between_a_hint_and_two_answers(answers: list[Answer]) -> None:
    labels = consensus(answers, CLASSES)
    assert list(labels.asset_ids) == sorted(set(labels.asset_ids))
    assert np.allclose(labels.shares.sum(axis=1), 1.0)
    assert ((labels.weights >= 0.25) & (labels.weights < 2.0)).all()


def test_agreement_is_worth_more_than_one_answer_and_disagreement_is_soft() -> None:
    labels = consensus(
        [
            answer("alone", "ana", "romance"),
            answer("both", "ana", "romance"),
            answer("both", "ben", "romance"),
            answer("split", "ana", "romance"),
            answer("split", "ben", "neither"),
            answer("unsure", "ana", UNSURE),
            answer("skipped", "ana", SKIP),
        ],
        CLASSES,
    )
    assert labels.asset_ids == ("alone", "both", "split", "unsure")
    assert labels.shares[:, 0].tolist() == [1.0, 1.0, 0.5, 0.5]
    alone, both, split, unsure = labels.weights
    assert alone == 1.0
    assert 1.0 < both == split < 2.0
    assert unsure == 0.25
    assert labels.decided().tolist() == [True, True, False, False]
    assert labels.counts().tolist() == [2, 0]


def test_an_expert_of_little_reliability_is_outvoted_by_one_of_much() -> None:
    labels = consensus(
        [answer("a", "ana", "romance"), answer("a", "eve", "neither")], CLASSES, {"ana": 1.0, "eve": 0.25}
    )
    assert labels.shares[0].tolist() == [0.8, 0.2]


def test_a_word_that_is_no_class_is_refused_with_what_was_expected() -> None:
    with pytest.raises(DataError, match=r"ana answered 'maybe' on 'a'. Expected one of \['romance', 'neither'\]"):
        consensus([answer("a", "ana", "maybe")], CLASSES)


def test_an_asset_of_two_titles_is_refused() -> None:
    other = Answer("a", "another title", "ben", "romance", "spread", NOON)
    with pytest.raises(ConflictingLabels, match="with the titles"):
        consensus([answer("a", "ana", "romance"), other], CLASSES)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ((("a", "a"), ("t", "t"), [[1, 0], [0, 1]], [1, 1]), r"labelled twice, among them \['a'\]"),
        ((("a",), ("t",), [[0.7, 0.7]], [1]), "sum to 1"),
        ((("a",), ("t",), [[1, 0]], [0]), "above 0"),
        ((("a",), ("t",), [[1.0]], [1]), "2 or more classes"),
        ((("a",), (), [[1, 0]], [1]), "one of each per asset"),
    ],
)
def test_wrong_labels_cannot_be_built(labels: tuple[object, ...], told: str) -> None:
    with pytest.raises(DataError, match=told):
        Labels(*labels)  # type: ignore[arg-type]


def test_labels_are_read_only_and_can_be_cut() -> None:
    labels = consensus([answer("a", "ana", "romance"), answer("b", "ana", "neither")], CLASSES)
    with pytest.raises(ValueError, match="read-only"):
        labels.shares[0, 0] = 0.0
    assert labels.subset([1]).asset_ids == labels.subset(np.array([False, True])).asset_ids == ("b",)
    assert len(consensus([], CLASSES)) == 0
