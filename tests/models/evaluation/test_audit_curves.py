"""The review's curves: inside the unit square, ordered, and right about a probe whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.evaluation.audit_curves import Band, precision_recall, reliability
from attune.models.evaluation.population import Population, posterior_populations


def world(slope: float, seed: int = 0, n: int = 400) -> Population:
    """Populations whose truth is drawn at exactly the probabilities that the probe tells, sharpened by ``slope``."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2, size=(n, 1))
    told = 1 / (1 + np.exp(-logits))
    y = (rng.random(n) < 1 / (1 + np.exp(-slope * logits[:, 0]))).astype(float)
    return posterior_populations(told, y, np.arange(n), told, np.ones(n), rng)


def ordered(band: Band) -> bool:
    """Whether the curve lies within its band, and both within the unit square."""
    return bool(((band.lo >= 0) & (band.lo <= band.value) & (band.value <= band.hi) & (band.hi <= 1)).all())


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 3), st.integers(0, 1000), st.integers(20, 200))
def test_curves_lie_within_their_bands_and_the_square(slope: float, seed: int, n: int) -> None:
    one = world(slope, seed, n)
    for band in (precision_recall(one), reliability(one)):
        assert ordered(band)
        assert (np.diff(band.at) >= 0).all()


def test_a_calibrated_probe_lies_on_the_diagonal_and_an_overconfident_one_does_not() -> None:
    right, wrong = reliability(world(1.0)), reliability(world(0.3))
    assert np.abs(right.value - right.at).max() < 0.12
    assert ((right.lo <= right.at) & (right.at <= right.hi)).mean() >= 0.8
    assert wrong.value[-1] < wrong.at[-1] - 0.1


def test_full_recall_has_the_precision_of_the_whole_pool() -> None:
    one = world(1.0)
    band = precision_recall(one)
    assert band.value[-1] == pytest.approx(
        (one.positives / one.counts.sum(axis=1, keepdims=True)).sum(axis=1).mean(), abs=0.02
    )
    assert band.value[0] > 0.9


def test_a_probe_that_says_one_thing_of_everything_has_one_bin() -> None:
    rng = np.random.default_rng(0)
    told, y = np.full((60, 1), 0.3), (rng.random(60) < 0.3).astype(float)
    band = reliability(posterior_populations(told, y, np.arange(60), told, np.ones(60), rng))
    assert np.allclose(band.at, 0.3)
    assert ordered(band)
