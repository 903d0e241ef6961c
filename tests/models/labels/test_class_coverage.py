"""Which classes have no answer, or none to learn from, and that it is said."""

from __future__ import annotations

import pytest

from attune.models.catalog.model_card import card_bytes, front_matter
from attune.models.labels.class_coverage import (
    classes_without_labels,
    missing_sentences,
    smallest_class_answers,
    unanswered_classes,
)
from tests.models.catalog.manifests import make

CLASSES = ("a", "b")


@pytest.mark.parametrize(
    ("labels", "least", "missing", "lost", "said"),
    [
        ({}, None, (), (), 0),
        ({"classes": {}}, 0, CLASSES, (), 1),
        ({"classes": {"unsure": 3}}, 0, CLASSES, (), 1),
        ({"classes": {"a": 3}, "learned": {"a": 3, "b": 0}}, 0, ("b",), (), 1),
        ({"classes": {"a": 3, "b": 1}}, 1, (), (), 0),
        ({"classes": {"a": 3, "b": 1}, "learned": {"a": 3, "b": 0}}, 1, (), ("b",), 1),
        ({"classes": {"a": 3}, "learned": {"a": 0, "b": 0}}, 0, ("b",), ("a",), 2),
    ],
)
def test_what_is_missing(labels: dict, least: int | None, missing: tuple, lost: tuple, said: int) -> None:
    assert smallest_class_answers(CLASSES, labels) == least
    assert unanswered_classes(CLASSES, labels) == missing
    assert classes_without_labels(CLASSES, labels) == lost
    told = missing_sentences(CLASSES, labels)
    assert len(told) == said
    if missing != CLASSES:
        assert all(f"“{name}”" in " ".join(told) for name in (*missing, *lost))


def test_only_the_card_of_a_draft_says_so() -> None:
    labels = {"classes": {"romance": 4, "neither": 2}}
    plain, draft = make(labels=labels), make(labels=labels, draft=True)
    assert "draft" not in card_bytes(plain).decode()
    assert "“friendship”" in card_bytes(draft).decode()
    assert ("draft" in front_matter(plain)["tags"], "draft" in front_matter(draft)["tags"]) == (False, True)
    assert "draft" not in plain.to_dict()
