from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.labels.labels import Labels
from attune.models.probes.calibration import apply, calibrate, cross_calibrated, identity
from tests.models.evaluation.answered import hard_labels

Floats = npt.NDArray[np.float64]


def simulated(n: int, slope: float, offset: float, seed: int = 0) -> tuple[Floats, Labels]:
    """Logits whose truth follows a known sigmoid, and labels of that truth."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(slope * logits + offset)))).astype(float)
    ids = [f"{i:05d}" for i in range(n)]
    return logits, hard_labels(ids, ids, y)


def test_a_known_slope_and_offset_are_found() -> None:
    rows = calibrate(*simulated(4000, 0.5, -2.0))
    assert rows.dtype == np.float32
    assert rows.shape == (1, 2)
    assert rows[0].tolist() == pytest.approx([0.5, -2.0], abs=0.15)


def test_probabilities_mean_what_they_say_after_150_audit_answers() -> None:
    logits, labels = simulated(150, 0.4, -1.5)
    unseen, truth = simulated(5000, 0.4, -1.5, seed=1)
    y = truth.shares[:, 0]

    def error(p: Floats) -> float:
        return float(np.mean([abs(p[part].mean() - y[part].mean()) for part in np.array_split(np.argsort(p), 10)]))

    assert error(apply(calibrate(logits, labels), unseen)[:, 0]) < 0.05 < error(apply(identity(1), unseen)[:, 0])


def test_uneven_draws_are_weighed_back() -> None:
    logits, labels = simulated(3000, 1.0, -1.0)
    # Positives were asked about four times as often: without weights they look commoner than they are.
    positive = labels.majority() == 0
    kept = positive | (np.random.default_rng(0).random(3000) < 0.25)
    inclusion = np.where(positive, 1.0, 0.25)[kept]
    weighted = calibrate(logits[kept], labels.subset(kept), inclusion)
    assert weighted[0].tolist() == pytest.approx([1.0, -1.0], abs=0.2)
    assert calibrate(logits[kept], labels.subset(kept))[0, 1] > weighted[0, 1] + 0.8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(-3, 3), st.integers(10, 60))
def test_a_ranking_never_turns_around(seed: int, slope: float, n: int) -> None:
    rows = calibrate(*simulated(n, slope, 0.0, seed))
    assert rows[0, 0] > 0
    assert np.isfinite(rows).all()


def test_below_ten_answers_nothing_changes_and_one_class_alone_lowers_it() -> None:
    logits, labels = simulated(9, 1.0, 0.0)
    assert (calibrate(logits, labels) == identity(1)).all()
    ids = [f"{i:02d}" for i in range(15)]
    negatives = hard_labels(ids, ids, np.zeros(15))
    assert apply(calibrate(np.zeros(15), negatives), np.zeros(1))[0, 0] < 0.15


def test_three_classes_get_a_row_each() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(scale=3.0, size=(900, 3))
    bent = 0.5 * logits + np.array([1.0, 0.0, -1.0])
    p = np.exp(bent) / np.exp(bent).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(3, p=row) for row in p])
    ids = tuple(f"{i:04d}" for i in range(900))
    rows = calibrate(logits, Labels(ids, ids, np.eye(3)[truth], np.ones(900)))
    assert rows.shape == (3, 2)
    assert rows[:, 0].tolist() == pytest.approx([0.5] * 3, abs=0.1)
    assert np.allclose(apply(rows, logits).mean(axis=0), np.bincount(truth) / 900, atol=0.02)


def test_an_answer_never_calibrates_its_own_probability() -> None:
    logits, labels = simulated(100, 1.0, 0.0)
    titles = tuple(f"t{i // 4}" for i in range(100))
    grouped = Labels(labels.asset_ids, titles, labels.shares, labels.weights)
    flipped = labels.shares.copy()
    flipped[:4] = flipped[:4, ::-1]
    other = Labels(labels.asset_ids, titles, flipped, labels.weights)
    assert not np.allclose(calibrate(logits, grouped), calibrate(logits, other))
    # Folds are spread by class, so compare only where the flipped title falls into the same fold.
    one, two = cross_calibrated(logits, grouped), cross_calibrated(logits, other)
    assert one.shape == (100, 2)
    assert np.allclose(one.sum(axis=1), 1.0)
    assert not np.allclose(one[4:], two[4:])


def test_wrong_shapes_are_refused() -> None:
    logits, labels = simulated(20, 1.0, 0.0)
    with pytest.raises(DataError, match=r"20 labels of 2 classes have logits of shape \(19,\)"):
        calibrate(logits[1:], labels)
