"""The contract that every strategy inherits: a new one is tested by being listed."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import EmptyPool, PoolExhausted, SettingsError
from attune.models.probes.probe import Probe
from attune.models.query.strategies import OURS, strategy
from tests.models.worlds import world

PLUGGED = [
    "modal:uncertainty_sampling",
    "modal:margin_sampling",
    "modal:entropy_sampling",
    "modal:uncertainty_batch_sampling",
    "skactiveml:UncertaintySampling",
    "skactiveml:TypiClust",
    "skactiveml:CoreSet",
    "skactiveml:Badge",
    "skactiveml:DropQuery",
    "skactiveml:ProbCover",
]
EVERY = [*sorted(OURS), *PLUGGED]


@pytest.fixture(params=[2, 3], ids=["two classes", "three classes"])
def scene(request: pytest.FixtureRequest) -> tuple[Probe, np.ndarray, dict[str, np.ndarray]]:
    here = world(n=120, classes=request.param)
    rows = here.pool.rows(np.arange(120))
    shares = np.eye(request.param)[here.truth]
    probe = Probe(here.classes).fit(rows[:30], shares[:30])
    return probe, rows[30:], {"seen": rows[:30], "seen_classes": here.truth[:30]}


@pytest.mark.parametrize("name", EVERY)
def test_gives_distinct_indices_with_one_finite_utility_each(name: str, scene) -> None:
    probe, candidates, seen = scene
    indices, utilities = strategy(name)(probe, candidates, n_instances=7, random_state=3, **seen)
    assert indices.shape == utilities.shape == (7,)
    assert len(set(indices.tolist())) == 7
    assert indices.min() >= 0
    assert indices.max() < len(candidates)
    assert np.isfinite(utilities).all()


@pytest.mark.parametrize("name", EVERY)
def test_same_seed_same_answer(name: str, scene) -> None:
    probe, candidates, seen = scene
    first, second = (strategy(name)(probe, candidates, 5, np.random.default_rng(11), **seen) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("name", EVERY)
def test_refuses_an_empty_pool(name: str, scene) -> None:
    probe, candidates, _seen = scene
    with pytest.raises(EmptyPool, match=r"4 candidates requested, but 0 are available"):
        strategy(name)(probe, candidates[:0], 4, 0)


@pytest.mark.parametrize("name", EVERY)
def test_refuses_a_pool_smaller_than_the_batch_with_both_numbers(name: str, scene) -> None:
    probe, candidates, _seen = scene
    with pytest.raises(PoolExhausted, match=r"4 candidates requested, but only 3 are available"):
        strategy(name)(probe, candidates[:3], 4, 0)


@pytest.mark.parametrize("name", sorted(OURS))
def test_can_take_the_whole_pool(name: str, scene) -> None:
    probe, candidates, seen = scene
    indices, _ = strategy(name)(probe, candidates[:9], 9, 0, **seen)
    assert sorted(indices.tolist()) == list(range(9))


@pytest.mark.parametrize("name", sorted(OURS))
def test_cites_its_paper_or_says_that_it_is_the_control(name: str) -> None:
    text = OURS[name].__doc__ or ""
    assert "arXiv" in text or "(" in text or "control" in text, f"{name} cites nothing"


def test_ours_run_inside_a_modal_learner(scene) -> None:
    from modAL.models import ActiveLearner

    probe, candidates, seen = scene
    calls = []

    def counted(estimator, X, n_instances=1, random_state=None, **kw):
        calls.append(1)
        return OURS["margin"](estimator, X, n_instances, random_state, **kw)

    learner = ActiveLearner(
        estimator=Probe(probe.classes), query_strategy=counted, X_training=seen["seen"],
        y_training=np.asarray(probe.classes)[seen["seen_classes"]],
    )  # fmt: skip
    indices, rows = learner.query(candidates, n_instances=3)
    assert len(indices) == len(rows) == 3
    assert len(calls) == 1, "modAL calls a strategy twice unless it returns the pair"


def test_names_the_near_ones_of_an_unknown_strategy() -> None:
    with pytest.raises(SettingsError, match="TypiClust"):
        strategy("skactiveml:Typiclust")
    with pytest.raises(SettingsError, match=r"'margine' does not exist.*margin"):
        strategy("margine")
    with pytest.raises(SettingsError, match="Expected modal or skactiveml"):
        strategy("libact:uncertainty")
