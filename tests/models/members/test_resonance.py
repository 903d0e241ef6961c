"""Artwork that resonates with a group: planted likings are found, false ones are not, few members are never told."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.insights.outcomes import Floats
from attune.models.members.resonance import Resonance, Shown, resonance, taken_more

TITLES, IMAGES, MEMBERS = 40, 3, 1200


def made(liking: Floats, seed: int, repeat: int = 1, heavy: float = 0.0) -> Shown:
    """Each member sees each title once with an image at random; ``heavy``: some members take nearly all of an image."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=MEMBERS)
    who, title = np.repeat(np.arange(MEMBERS), TITLES), np.tile(np.arange(TITLES), MEMBERS)
    asset = title * IMAGES + rng.integers(IMAGES, size=len(title))
    rate = np.minimum(0.2 * np.exp(rng.normal(0, 0.5, TITLES)[title] + liking[group[who], asset]), 0.9)
    rate = np.where(rng.random(len(who)) < heavy, 0.95, rate)
    shown = np.full(len(who), float(repeat))
    return Shown(who, asset, shown, rng.binomial(repeat, rate) * 1.0, group, np.repeat(np.arange(TITLES), IMAGES))


def test_a_planted_liking_is_found_in_its_group_and_mirrored_in_the_other() -> None:
    liking = np.zeros((2, TITLES * IMAGES))
    liking[0, : 3 * IMAGES : IMAGES] = 1.0
    found = resonance(made(liking, 0), 2)
    assert found.asset[taken_more(found, 0, 0.1)].tolist().count(0) == 1
    assert {0, 3, 6} <= set(found.asset[taken_more(found, 0, 0.1)].tolist())
    place = np.flatnonzero((found.asset == 0) & (found.group == 0))[0]
    assert found.estimate[place] == pytest.approx(1.0, abs=0.6)
    assert 0 < found.shrunk[place] < found.estimate[place]
    mirror = np.flatnonzero((found.asset == 0) & (found.group == 1))[0]
    assert found.estimate[mirror] == pytest.approx(-found.estimate[place])


def test_errors_count_members_not_impressions() -> None:
    """Where a member takes an image each time or never, twenty impressions say no more than one."""
    none = np.zeros((2, TITLES * IMAGES))
    rejected = []
    for seed in range(4):
        found = resonance(made(none, seed, repeat=20, heavy=0.2), 2)
        mine = found.group == 0
        rejected.append((found.p[mine] < 0.05).mean())
    assert np.mean(rejected) < 0.09


def told(shown: Shown) -> Resonance:
    return resonance(shown, 2)


def test_a_cell_with_few_members_is_not_told() -> None:
    shown = made(np.zeros((2, TITLES * IMAGES)), 1)
    few = np.flatnonzero((shown.asset == 0) & (shown.group[shown.member] == 0))[40:]
    kept = np.setdiff1d(np.arange(len(shown.asset)), few)
    less = Shown(shown.member[kept], shown.asset[kept], shown.impressions[kept] * 50, shown.takes[kept] * 40,
                 shown.group, shown.title)  # fmt: skip
    found = told(less)
    assert not (found.asset == 0).any(), "neither group: the other's figure would be its mirror"
    assert (found.asset == 1).any()
    assert found.asked > len(found.asset)
