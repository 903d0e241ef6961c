"""Planted groups of members are found, by viewing and by response; where there are none, none are said to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score

from attune.models.errors import NotEnoughLabels
from attune.models.members.response_groups import Responses, response_groups
from attune.models.members.simulate import Simulated, World, simulate
from attune.models.members.small_cells import FLOOR
from attune.models.members.viewing_groups import UNPLACED, viewing_groups, weights


@pytest.fixture(scope="module")
def world() -> Simulated:
    return simulate(World(members=1500, titles=150, groups=3), 5)


def test_groups_by_viewing_are_the_planted_ones(world: Simulated) -> None:
    views = csr_array(world.views)
    found = viewing_groups(views)
    assert found.count == 3
    assert found.stability > 0.9
    assert adjusted_rand_score(world.group, found.label) > 0.85
    sizes = np.bincount(found.label[found.label >= 0])
    assert sizes.min() >= FLOOR
    assert (np.diff(sizes) <= 0).all()
    again = viewing_groups(views)
    assert (again.label == found.label).all()


def test_how_much_a_member_watches_is_no_taste() -> None:
    rng = np.random.default_rng(0)
    appetite, popular = np.exp(rng.normal(0, 0.7, (1200, 1))), np.exp(rng.normal(0, 1, 120))
    views = csr_array((rng.random((1200, 120)) < np.minimum(20 * appetite * popular / popular.sum(), 0.9)) * 1.0)
    found = viewing_groups(views)
    seen = np.asarray((views > 0).sum(axis=1))
    means = [seen[found.label == one].mean() for one in range(found.count)]
    assert max(found.agreement.values()) < 0.9
    assert max(means) < 2 * min(means)


def test_members_with_few_titles_are_not_placed_and_few_members_make_no_groups(world: Simulated) -> None:
    views = world.views.tolil()
    views[:10] = 0
    found = viewing_groups(csr_array(views), clusters=3)
    assert (found.label[:10] == UNPLACED).all()
    assert list(found.agreement) == [3]
    with pytest.raises(NotEnoughLabels, match="Add more viewing"):
        viewing_groups(csr_array(world.views[:90]))
    with pytest.raises(NotEnoughLabels, match="40 groups need"):
        viewing_groups(csr_array(world.views), clusters=40)


def test_more_minutes_count_more_and_unknown_ones_as_usual() -> None:
    found = weights([10.0, 90.0, np.nan, 30.0])
    assert found[0] < found[3] < found[1]
    assert found[2] == found[3] == 1


def test_groups_by_response_are_the_planted_ones_and_not_the_appetite() -> None:
    made = simulate(World(members=900, titles=120, groups=2, response=1.0, rate=0.3), 2)
    found = response_groups(Responses(made.impressions, made.takes, made.title), clusters=2)
    assert adjusted_rand_score(made.group, found.label) > 0.8
    same = simulate(World(members=900, titles=60, groups=1, appetite=1.0), 2)
    alike = response_groups(Responses(same.impressions, same.takes, same.title), clusters=2)
    assert alike.stability < 0.1
    with pytest.raises(NotEnoughLabels, match="Add more responses"):
        response_groups(Responses(same.impressions[:90], same.takes[:90], same.title))
