"""A made-up service with known truth: random rows tell it, a bandit's own rows do not, and the rows are valid."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import DataError
from attune.models.insights.outcomes import outcomes
from attune.models.insights.simulate import Simulated, World, simulate
from attune.models.insights.within_title import Effect, within_title

WORLD = World(titles=250, periods=10)


@pytest.fixture(scope="module")
def told() -> Simulated:
    return simulate(WORLD, 3)


def effect(told: Simulated, arm: str) -> Effect:
    kept = told.rows["arm"] == arm
    asset = np.array([int(name.split("-")[1]) for name in told.rows["asset_id"][kept]])
    shown, takes = (np.bincount(asset, told.rows[name][kept]) for name in ("impressions", "takes"))
    number = np.arange(len(shown))
    rows = outcomes(number, number // WORLD.images, np.zeros(len(shown)), shown, takes)
    return within_title(rows, told.has[rows.asset])


def test_random_rows_tell_the_truth_and_a_bandits_own_rows_do_not(told: Simulated) -> None:
    random, served = effect(told, "explore"), effect(told, "serve")
    assert abs(random.estimate - told.effect) < 3 * random.se
    assert served.estimate - told.effect > 10 * served.se
    even = simulate(World(titles=250, periods=10, bandit=False), 3)
    chosen_at_random = effect(even, "serve")
    assert abs(chosen_at_random.estimate - even.effect) < 3 * chosen_at_random.se


def test_popular_titles_have_the_property_more_often(told: Simulated) -> None:
    rows = told.rows
    has = dict(zip(told.asset_ids.tolist(), told.has.tolist(), strict=True))
    side = np.array([has[name] for name in rows["asset_id"].tolist()])
    random = rows["arm"] == "explore"
    rates = [rows["takes"][random & (side == one)].sum() / rows["impressions"][random & (side == one)].sum()
             for one in (1, 0)]  # fmt: skip
    assert np.log(rates[0] / rates[1]) > told.effect + 0.1


def test_rows_are_valid_and_the_same_for_the_same_seed(told: Simulated) -> None:
    rows = told.rows
    assert {len(column) for column in rows.values()} == {len(rows["asset_id"])}
    assert ((rows["takes"] >= 0) & (rows["takes"] <= rows["impressions"])).all()
    assert ((rows["propensity"] > 0) & (rows["propensity"] <= 1)).all()
    assert (rows["period_end"] > rows["period_start"]).all()
    keys = list(zip(*(rows[name].tolist() for name in ("asset_id", "canvas", "member_cluster", "arm", "period_start")),
                    strict=True))  # fmt: skip
    assert len(set(keys)) == len(keys)
    again, other = simulate(WORLD, 3), simulate(WORLD, 4)
    assert all(np.array_equal(again.rows[name], rows[name]) for name in rows)
    assert not np.array_equal(other.has, told.has)


def test_the_probe_errs_as_much_as_was_asked() -> None:
    for apart, right in ((1.0, 0.6914), (3.0, 0.9332)):
        told = simulate(World(titles=2000, periods=1, impressions=10, apart=apart, prevalence=0.5), 0)
        assert np.mean((told.probability > 0.5) == (told.has == 1)) == pytest.approx(right, abs=0.01)  # Phi(d' / 2)


def test_a_world_that_cannot_be_compared_is_refused() -> None:
    for world in (World(titles=0), World(images=1), World(explore=0.0), World(groups=((0.0, 1.0, 0.1),))):
        with pytest.raises(DataError, match="2 images or more"):
            simulate(world)
