from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

from attune.models.errors import DataError
from attune.models.evaluation.evaluate import cross_validated, holdout_ap
from tests.models.evaluation.answered import CLASSES, hard_labels

Floats = npt.NDArray[np.float64]


def test_on_labelled_titles_the_figure_is_scikit_learns_and_titles_make_it_less_sure() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat((rng.random(40) < 0.3).astype(int), 5)
    score = truth + rng.normal(size=200)
    by_title = holdout_ap(1 - truth, score, np.repeat(np.arange(40), 5).astype(str))
    by_asset = holdout_ap(1 - truth, score, np.arange(200).astype(str))
    assert by_title.value == pytest.approx(average_precision_score(truth, score))
    assert by_title.width > by_asset.width
    assert by_title.positives == truth.sum()


def test_more_classes_are_averaged() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, size=150)
    score = rng.normal(size=(150, 3)) + np.eye(3)[truth]
    expected = np.mean([average_precision_score(truth == i, score[:, i]) for i in range(3)])
    assert holdout_ap(truth, score, np.arange(150).astype(str), classes=3).value == pytest.approx(expected)
    with pytest.raises(DataError, match="one column for each of 3 classes"):
        holdout_ap(truth, score[:, 0], np.arange(150).astype(str), classes=3)


def test_cross_validation_is_marked_as_biased_and_never_leaks_a_title() -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(60) < 0.5).astype(float)
    titles = [f"t{i // 3}" for i in range(60)]
    labels = hard_labels([f"{i:02d}" for i in range(60)], titles, y)

    def cheat(train: npt.NDArray[np.intp], test: npt.NDArray[np.intp]) -> Floats:
        # Knows each title of the training rows by heart, and nothing of any other.
        known = {titles[i]: y[i] for i in train}
        p = np.array([known.get(titles[i], 0.5) for i in test])
        return np.stack([p, 1 - p], axis=1)

    found = cross_validated(labels, cheat, CLASSES)
    assert found.biased
    assert found.value == pytest.approx(y.mean())


def test_cross_validation_with_few_answers_says_how_many_there_are() -> None:
    labels = hard_labels(["a", "b", "c"], ["a", "b", "c"], np.array([1.0, 0.0, 0.0]))
    found = cross_validated(labels, lambda train, test: np.zeros((len(test), 2)), CLASSES)
    assert found.value is None
    assert found.reason == "the answers per class are 1 romance, 2 neither; 2 classes need at least 5 each"
