"""Drift: equal distributions are left in peace however often one looks, real shifts are told, few assets tell none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from attune.models.errors import DataError
from attune.models.evaluation.score_drift import RULE, Rule, Shift, Sketch, compare, has_enough_assets, histogram


def titles(n: int, a_title: int = 1) -> list[str]:
    return [f"t{i // a_title}" for i in range(n)]


def pool(n: int = 5000, seed: int = 0) -> tuple[np.ndarray, Sketch]:
    x = np.random.default_rng(seed).normal(size=n)
    return x, Sketch.of(x, titles(n))


def shift(x: np.ndarray, sketch: Sketch, a_title: int = 1) -> Shift:
    return compare("serious", sketch, x, titles(len(x), a_title), np.random.default_rng(0))


def test_the_sketch_gives_the_ks_statistic_of_the_full_sample() -> None:
    x, sketch = pool()
    new = np.random.default_rng(1).normal(0.4, 1.2, size=700)
    found, exact = shift(new, sketch), ks_2samp(x, new)
    assert found.ks == pytest.approx(exact.statistic, abs=0.002)
    assert found.p_value == pytest.approx(exact.pvalue, abs=1e-3)
    assert found.ks_lo <= found.ks <= found.ks_hi
    assert found.psi_lo <= found.psi <= found.psi_hi


def test_psi_is_that_of_the_deciles() -> None:
    _, sketch = pool(200_000)
    edges = sketch.edges()
    new = np.concatenate([np.full(3000, edges[0] - 1), np.random.default_rng(2).normal(size=7000)])
    share = np.histogram(new, [-np.inf, *edges, np.inf])[0] / len(new)
    by_hand = ((share - 0.1) * np.log(share / 0.1)).sum()
    assert shift(new, sketch).psi == pytest.approx(by_hand, rel=0.02)


def test_a_large_shift_alarms_and_a_small_one_does_not() -> None:
    _, sketch = pool()
    generator = np.random.default_rng(3)
    level = RULE.level(1, 1)
    assert shift(generator.normal(1.0, 1.0, 300), sketch).alarming(RULE, level)
    assert not shift(generator.normal(0.1, 1.0, 3000), sketch).alarming(RULE, level)  # no chance, yet too small


def test_images_of_a_few_titles_are_not_many_observations() -> None:
    _, sketch = pool()
    one_by_title = np.repeat(np.random.default_rng(4).normal(0.5, 1.0, 12), 100)
    alone, together = shift(one_by_title, sketch), shift(one_by_title, sketch, a_title=100)
    assert alone.p_value < 1e-6 < together.p_value
    assert together.ks_hi - together.ks_lo > 2 * (alone.ks_hi - alone.ks_lo)
    assert not has_enough_assets(1200, 12)


def test_all_looks_together_rarely_cry_wolf() -> None:
    """100 versions without drift, each looked at as its new assets grow: at most ``alpha`` of them alarm."""
    generator = np.random.default_rng(5)
    _, sketch = pool(20_000)
    below, alarms, versions = 0, 0, 100
    for _ in range(versions):
        new, look, taken = generator.normal(size=1500), 0, 0
        raised = low = False
        while (taken := RULE.next_look(taken)) <= len(new):
            look += 1
            found = compare("c", sketch, new[:taken], titles(taken), np.random.default_rng(0), draws=1)
            low |= found.p_value < RULE.level(look, 1)
            raised |= found.alarming(RULE, RULE.level(look, 1))
        alarms, below = alarms + raised, below + low
    assert alarms == 0
    assert below <= 4  # 0.01 of 100 is 1; more than 4 has a chance of 1 in 250


def test_the_levels_of_all_looks_stay_within_alpha() -> None:
    assert sum(Rule(alpha=0.05).level(look, 1) for look in range(1, 100_000)) <= 0.05
    assert RULE.level(3, 4) == RULE.level(3, 1) / 4
    assert [RULE.next_look(n) for n in (0, 100, 125, 1000)] == [100, 125, 157, 1250]


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=60), st.lists(st.floats(-50, 50), min_size=1, max_size=60))
def test_any_two_samples_give_finite_figures_in_their_ranges(old: list[float], new: list[float]) -> None:
    sketch = Sketch.from_dict(Sketch.of(np.array(old), titles(len(old))).to_dict())
    found = shift(np.array(new), sketch)
    assert found.psi >= 0
    assert 0 <= found.ks_lo <= found.ks <= found.ks_hi <= 1
    assert 0 <= found.p_value <= 1
    drawn = histogram(sketch, np.array(new))
    assert sum(drawn["before"]) == pytest.approx(1, abs=1e-4)
    assert sum(drawn["after"]) == pytest.approx(1, abs=1e-4)
    assert all(share >= 0 for share in drawn["before"])


def test_nothing_makes_no_sketch_and_no_comparison() -> None:
    _, sketch = pool(10)
    with pytest.raises(DataError, match="0 logits"):
        Sketch.of(np.array([]), [])
    with pytest.raises(DataError, match="2 titles"):
        compare("c", sketch, np.array([1.0]), ["a", "b"], np.random.default_rng(0))


def test_one_large_new_title_is_no_drift() -> None:
    def alarm(seed: int) -> bool:
        rng = np.random.default_rng(seed)

        def scores(sizes: list[int]) -> tuple[np.ndarray, list[str]]:
            own = [0.84 * rng.normal() + 0.55 * rng.normal(size=size) for size in sizes]
            return np.concatenate(own), [f"t{i}" for i, size in enumerate(sizes) for _ in range(size)]

        before = Sketch.of(*scores([5] * 300))
        return compare("yes", before, *scores([1000] + [5] * 39), rng, draws=2).alarming(RULE, RULE.level(1, 1))

    assert not sum(alarm(seed) for seed in range(40)), "half of them were, counting titles"
