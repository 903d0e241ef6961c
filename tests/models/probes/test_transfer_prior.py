"""Published heads as directions worth believing in: they help where they tell something, and mislead little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from attune.models.probes import prior_strength
from attune.models.probes.learner import LearnerSettings, Prompts, fit, plan
from attune.models.probes.prior_strength import fit_by_evidence
from attune.models.probes.probe import Probe
from attune.models.probes.transfer_prior import transfer_prior
from attune.models.vectors.pool import Pool, unit_length
from tests.models.worlds import World, world

SEED = 5
PLAIN = LearnerSettings(audit_share=0.0, reserved_share=0.0)


def quality(here: World, relatives: np.ndarray | None, index: np.ndarray) -> float:
    prompts = None if relatives is None else Prompts(relatives=relatives)
    probe = fit(here.pool, here.labels(index), here.classes, prompts, PLAIN, SEED)
    return float(average_precision_score(here.truth == 0, here.pool.logits(probe.weight_, probe.bias_)[:, 0]))


def hard(seed: int) -> World:
    """800 vectors in 128 dimensions without clusters; the answer lies along one direction, and people waver."""
    rng = np.random.default_rng(seed)
    vectors = unit_length(rng.standard_normal((800, 128))).astype(np.float16)
    directions = unit_length(rng.standard_normal((2, 128)))
    across = unit_length(directions[:1] - directions[1:])[0]
    logits = 4 * np.sqrt(128) * (vectors.astype(np.float32) @ across) - 3
    truth = (rng.random(800) > 1 / (1 + np.exp(-logits))).astype(np.intp)
    ids = np.array([f"a{i:03d}" for i in range(800)])
    return World(Pool(ids, ids, (vectors,)), truth, directions, ("yes", "no"))


def helpful(here: World, rng: np.random.Generator) -> np.ndarray:
    """Three heads of which one lies close to the direction that tells the classes apart."""
    truth = here.directions[0] - here.directions[1]
    noise = rng.standard_normal((3, len(truth))).astype(np.float32)
    return np.stack([truth + 0.1 * noise[0], noise[1], noise[2]])


def test_a_published_head_that_lies_near_the_answer_saves_labels() -> None:
    without, with_it = [], []
    for seed in range(6):
        here, rng = hard(seed), np.random.default_rng(seed)
        index = np.r_[np.flatnonzero(here.truth == 0)[:3], rng.choice(len(here.pool), 17, replace=False)]
        index = np.unique(index)
        without.append(quality(here, None, index))
        with_it.append(quality(here, helpful(here, rng), index))
    assert np.mean(with_it) > np.mean(without) + 0.05


def test_heads_that_tell_nothing_cost_little() -> None:
    lost = []
    for seed in range(6):
        here, rng = hard(seed), np.random.default_rng(seed)
        index = np.unique(np.r_[np.flatnonzero(here.truth == 0)[:3], rng.choice(len(here.pool), 57, replace=False)])
        noise = rng.standard_normal((5, 128)).astype(np.float32)
        lost.append(quality(here, None, index) - quality(here, noise, index))
    assert np.mean(lost) < 0.02


@pytest.mark.parametrize("classes", [2, 3])
def test_labels_in_another_order_give_the_same_probe_and_plan(classes: int) -> None:
    here = world(classes=classes)
    prompts = Prompts(relatives=here.directions)
    index = np.random.default_rng(1).choice(len(here.pool), 40, replace=False)
    told = []
    for order in (index, index[::-1]):
        labels = here.labels(order)
        probe = fit(here.pool, labels, here.classes, prompts, PLAIN, SEED)
        asks = plan(here.pool, probe, labels, np.sort(order), 10, PLAIN, SEED, prompts=prompts)
        told.append((probe.weight_.tobytes(), [ask.index for ask in asks]))
    assert told[0] == told[1]


def test_the_first_questions_without_an_answer_are_a_spread_however_much_is_published() -> None:
    here = world()
    labels = here.labels([])
    prompts = Prompts(relatives=here.directions)
    probe = fit(here.pool, labels, here.classes, prompts, PLAIN, SEED)
    assert {ask.purpose for ask in plan(here.pool, probe, labels, [], 8, PLAIN, SEED, prompts=prompts)} == {"spread"}


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 50))
def test_a_lens_does_not_depend_on_how_sure_its_heads_are(scale: float, seed: int) -> None:
    here = world(n=200, seed=seed)
    heads = np.random.default_rng(seed).standard_normal((4, 24)).astype(np.float32)
    louder = heads * np.float32(scale)
    seen, again = transfer_prior(heads, here.pool), transfer_prior(louder, here.pool)
    assert seen is not None
    assert again is not None
    np.testing.assert_allclose(seen, again, rtol=1e-3)
    spread = (here.pool.rows(np.arange(len(here.pool))) @ seen.T).var(axis=0).sum()
    assert spread == pytest.approx(here.pool.variance, rel=1e-3)


def test_a_head_that_tells_nothing_apart_is_left_out_and_without_any_there_is_no_lens() -> None:
    here = world(n=100)
    zeros = np.zeros((1, 24), dtype=np.float32)
    both = transfer_prior(np.concatenate([zeros, here.directions[:1]]), here.pool)
    assert both is not None
    assert both.shape == (1, 24)
    assert transfer_prior(zeros, here.pool) is None
    assert transfer_prior(None, here.pool) is None
    empty = np.array([], dtype=np.str_)
    assert transfer_prior(here.directions, Pool(empty, empty, ())) is None


def test_the_fits_of_a_round_share_one_lens_and_other_heads_or_pools_have_their_own() -> None:
    here, elsewhere = world(n=100), world(n=100, seed=1)
    found = transfer_prior(here.directions, here.pool)
    assert found is not None
    assert transfer_prior(here.directions.copy(), here.pool) is found
    assert transfer_prior(here.directions[:1], here.pool) is not found
    other = transfer_prior(here.directions, elsewhere.pool)
    assert other is not None
    assert not np.array_equal(other, found)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [0.0, 0.4, 1.6])
def test_a_lens_widens_the_prior_along_its_heads_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, classes: int, width: float
) -> None:
    """The same as a plain fit in coordinates in which that prior is round: its covariance is C (I + width L'L)."""
    monkeypatch.setattr(prior_strength, "WIDTHS", (width, width))
    here, strength = world(n=80, dim=12, classes=classes), 0.7
    x, shares = here.pool.rows(np.arange(80)), np.eye(classes)[here.truth]
    heads = np.random.default_rng(2).standard_normal((3, 12)).astype(np.float32)
    round_again = np.linalg.cholesky(np.eye(12) + width * heads.T @ heads)
    weight, bias, _ = fit_by_evidence(x @ round_again, shares, np.ones(80), [strength])
    probe = Probe(here.classes, strength, transfer=heads).fit(x, shares)
    np.testing.assert_allclose(probe.weight_, weight @ round_again.T, atol=2e-3)
    np.testing.assert_allclose(probe.bias_, bias, atol=2e-3)


def test_the_phrases_have_a_say_each_and_a_lone_phrase_stands_for_itself() -> None:
    one, two = np.eye(24, dtype=np.float32)[:2]
    both = Prompts(positive=one[None], negative=two[None], relatives=one[None]).leanings()
    assert both is not None
    np.testing.assert_allclose(both, [one, (one - two) / 2, (two - one) / 2])
    alone = Prompts(positive=one[None]).leanings()
    np.testing.assert_allclose(alone, [one])
    assert Prompts(examples={"yes": one[None]}).leanings() is None
