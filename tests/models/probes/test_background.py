"""Answered images never stand for a class that they are not, and a class without answers is hardly ever said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.probes.background import SIZE, background
from attune.models.probes.learner import LearnerSettings, Prompts, fit, plan
from benchmarks.one_class import count
from tests.models.worlds import World, world

SEED = 5
PLAIN = LearnerSettings()


def said(here: World, probe, rows: np.ndarray, position: int) -> int:
    return int((probe.predict_proba(here.pool.rows(rows)).argmax(axis=1) == position).sum())


@pytest.mark.parametrize("phrases", [False, True], ids=["plain", "phrases"])
@pytest.mark.parametrize("first", [True, False], ids=["yes is rare", "no is rare"])
@pytest.mark.parametrize("rare", [0, 1, 2, 5])
@pytest.mark.parametrize("answered", [400, 1200])
@pytest.mark.parametrize("times", [1, 5], ids=["all answered", "a fifth answered"])
def test_rare_answers_bound_what_is_labelled(answered: int, times: int, rare: int, first: bool, phrases: bool) -> None:
    for seed in range(3):
        assert count(answered, times, rare, first, phrases, seed) <= max(2, 2 * rare)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_of_three_classes_the_missing_is_not_said(missing: int) -> None:
    here = world(n=900, classes=3, rare=0.3)
    rows = np.flatnonzero(here.truth != missing)
    for some in (rows, rows[:60]):
        probe = fit(here.pool, here.labels(some), here.classes, None, PLAIN, SEED)
        assert said(here, probe, some, missing) == 0


def test_two_of_three_classes_missing_are_not_said() -> None:
    here = world(n=900, classes=3, rare=0.3)
    rows = np.flatnonzero(here.truth == 1)
    probe = fit(here.pool, here.labels(rows), here.classes, None, PLAIN, SEED)
    assert said(here, probe, rows, 1) == len(rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 900), st.integers(0, 900), st.floats(0.25, 2000), st.integers(0, 9))
def test_stand_ins_are_unanswered_and_never_outweigh(n: int, answered: int, weight: float, seed: int) -> None:
    here = world(n=n)
    gone = np.random.default_rng(seed).permutation(n)[:answered]
    found = background(here.pool, np.append(gone, -1), weight, weight, np.random.default_rng(seed))
    assert not np.isin(found.index, gone).any()
    assert len(np.unique(found.index)) == len(found.index) <= SIZE
    assert 0 <= found.weight <= 1
    assert len(found.index) * found.weight <= weight * (1 + 1e-9)
    assert found.shift >= 0
    if answered < n:
        assert len(found.index) > 0, "as long as an image is free, something stands in"


def test_what_an_audit_answered_stands_for_nothing() -> None:
    """Audits are not among the labels, so the learner is given what was answered beside them."""
    here = world(n=80, titles=1)
    labelled = np.arange(60)
    here.truth[:] = 1
    free = fit(here.pool, here.labels(labelled), here.classes, None, PLAIN, SEED)
    rest = np.arange(60, 80)
    all_answered = fit(here.pool, here.labels(labelled), here.classes, None, PLAIN, SEED, answered=rest)
    spread = np.ptp(here.pool.logits(free.weight_, free.bias_))
    assert np.ptp(here.pool.logits(all_answered.weight_, all_answered.bias_)) < spread / 10, "nothing tells them apart"
    assert said(here, all_answered, np.arange(80), 0) == 0


def test_a_missing_class_is_looked_for_undiminished() -> None:
    here = world()
    rows = np.flatnonzero(here.truth == 1)[:60]
    labels = here.labels(rows)
    probe = fit(here.pool, labels, here.classes, None, PLAIN, SEED)
    assert probe.lowered_[0] > 3
    assert probe.seeking().bias_[0] == pytest.approx(probe.bias_[0] + probe.lowered_[0], abs=1e-5)
    asks = [plan(here.pool, one, labels, rows, 12, PLAIN, SEED) for one in (probe, probe.seeking())]
    assert asks[0] == asks[1]
    assert {ask.purpose for ask in asks[0]} >= {"likely"}


def test_with_answers_in_each_class_nothing_is_lowered() -> None:
    here = world()
    probe = fit(here.pool, here.labels(np.arange(40)), here.classes, None, PLAIN, SEED)
    known = fit(here.pool, here.labels(np.arange(40)), here.classes, None, PLAIN, SEED, answered=np.arange(300))
    assert not probe.lowered_.any()
    np.testing.assert_array_equal(probe.weight_, known.weight_)


def test_examples_alone_keep_even_odds() -> None:
    here = world()
    examples = Prompts(examples={"yes": here.pool.rows(np.flatnonzero(here.truth == 0)[:3])})
    assert not fit(here.pool, here.labels([]), here.classes, examples, PLAIN, SEED).lowered_.any()
