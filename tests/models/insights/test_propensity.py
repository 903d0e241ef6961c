"""Weights by logged chances tell what random rows would, and where images hardly overlap they are not believed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from attune.models.insights.outcomes import Outcomes
from attune.models.insights.propensity import CLIP, Weights, weighted
from attune.models.insights.simulate import World, simulate
from attune.models.insights.within_title import within_title
from benchmarks.insights.bandit import ANALYSES


def test_a_bandits_rows_tell_the_truth_by_their_propensities() -> None:
    names = ("served, attune: weighted by propensity", "served, within title and group")
    off: dict[str, list[float]] = {name: [] for name in names}
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


def test_weighted_counts_are_the_values_of_inverse_propensity_scores() -> None:
    """Of showing a title's images alike: IPS (Horvitz and Thompson 1952) and SNIPS (Swaminathan and Joachims 2015), by
    their formulas in exact fractions, impression by impression."""
    log = {  # title, image: chance in tenths, impressions, takes
        (0, 0): (7, 700, 61), (0, 1): (2, 210, 9), (0, 2): (1, 90, 8), (1, 3): (6, 300, 12), (1, 4): (4, 220, 21),
    }  # fmt: skip
    alike = {0: Fraction(1, 3), 1: Fraction(1, 2)}
    rounds = [
        (alike[title] / Fraction(tenths, 10), int(n < takes))
        for (title, _), (tenths, shown, takes) in log.items()
        for n in range(shown)
    ]
    ips = sum(weight * taken for weight, taken in rounds) / len(rounds)
    snips = ips / (sum(weight for weight, _ in rounds) / len(rounds))

    title, asset = np.array(list(log)).T
    tenths, shown, takes = np.array(list(log.values()), dtype=np.float64).T
    rows = Outcomes(asset, title, title * 0, shown, takes)
    weights = Weights.of([(rows, tenths / 10)])
    told = weights.rows(rows, tenths / 10)
    assert told.takes.sum() / weights.scale / shown.sum() == pytest.approx(float(ips), rel=1e-12)
    assert told.takes.sum() / told.impressions.sum() == pytest.approx(float(snips), rel=1e-12)
    squares = sum(weight**2 * taken for weight, taken in rounds)
    kish = sum(weight * taken for weight, taken in rounds) ** 2 / squares / sum(taken for _, taken in rounds)
    assert weights.overlap.effective == pytest.approx(float(kish), rel=1e-12)
