"""Weights by logged chances tell what random rows would, and where images hardly overlap they are not believed."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.insights.propensity import CLIP, weighted
from attune.models.insights.simulate import World, simulate
from attune.models.insights.within_title import within_title
from benchmarks.insights.bandit import ANALYSES


def test_a_bandits_rows_tell_the_truth_by_their_propensities() -> None:
    off = {name: [] for name in ("served, attune: weighted by propensity", "served, within title and group")}
    for seed in range(3):
        told = simulate(World(titles=250, periods=12), seed)
        for name, found in off.items():
            effect = ANALYSES[name][1](told)
            found.append((effect.estimate - told.effect) / effect.se)
    weighed, plain = (np.array(found) for found in off.values())
    assert abs(weighed.mean()) < 1.5
    assert abs(plain.mean()) > 2 * abs(weighed.mean())


def test_weights_are_clipped_and_their_cost_is_told() -> None:
    titles = 400
    title = np.repeat(np.arange(titles), 2)
    chance = np.tile([0.99, 0.01], titles)
    shown = np.tile([990.0, 10.0], titles)
    takes = np.tile([99.0, 1.0], titles)
    args = (np.arange(2 * titles), title, title * 0, shown, takes)
    _, overlap = weighted(*args, chance)
    assert (overlap.rows, overlap.clipped) == (800, 400)
    assert overlap.lost == pytest.approx(0.3)
    assert not overlap.enough
    held, fair = weighted(*args, np.full(800, 0.5))
    assert (fair.clipped, fair.lost, fair.effective) == (0, 0, 1)
    assert held.takes.sum() == pytest.approx(takes.sum())
    assert fair.enough
    some = np.where(title < 100, np.nan, 0.5)
    assert set(weighted(*args, some)[0].title.tolist()) == set(range(100, 400))
    assert not weighted(*args, np.full(800, np.nan))[1].enough
    assert CLIP > 1


def test_weighted_takes_are_as_many_as_tell_as_much() -> None:
    rng = np.random.default_rng(0)
    titles, images = 600, 4
    title = np.repeat(np.arange(titles), images)
    chance = rng.dirichlet(np.full(images, 2.0), titles).reshape(-1)
    shown = np.floor(8000 * chance)
    has = (rng.random(len(title)) < 0.4) * 1.0
    takes = rng.binomial(shown.astype(int), 0.03 * np.exp(0.1 * has)).astype(float)
    held, overlap = weighted(np.arange(len(title)), title, title * 0, shown, takes, chance)
    effect = within_title(held, has[held.asset])
    assert abs(effect.estimate - 0.1) < 3 * effect.se
    assert 0.2 < overlap.effective < 1
    assert effect.model_se == pytest.approx(effect.se, rel=0.25)  # so tau is that of the titles, not of the weights
