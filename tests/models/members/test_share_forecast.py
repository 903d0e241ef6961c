"""Shares of titles to come: better than the base shares where artwork tells, never much worse where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats
from attune.models.members.share_forecast import Block, forecaster
from attune.models.members.simulate import Simulated, World, simulate


def titles(by_look: float, seed: int = 3) -> tuple[Simulated, Floats, list[Block]]:
    made = simulate(World(members=1500, titles=160, groups=3, look=8, by_look=by_look, images=1), seed)
    counts = np.stack([np.asarray(made.views[made.group == one].sum(axis=0)) for one in range(3)], axis=1)
    return made, counts, [Block("metadata", np.eye(6)[made.genre]), Block("posters", made.poster)]


def test_unseen_titles_are_forecast_and_their_shares_are_in_the_intervals() -> None:
    made, counts, blocks = titles(0.8)
    known = counts.sum(axis=1) >= 50
    found = forecaster(counts[known], [Block(one.name, one.values[known]) for one in blocks])
    assert all(gain.helps for gain in found.gains)
    assert found.whole.low > 0.05
    said, low, high = found.shares({one.name: one.values[~known] for one in blocks})
    assert said.sum(axis=1) == pytest.approx(1)
    inside = (low <= made.shares[~known]) & (made.shares[~known] <= high)
    assert inside.mean() > 0.85
    assert (high - low).mean() < 0.5


def test_posters_that_say_nothing_stay_out() -> None:
    _, counts, blocks = titles(0.0)
    rng = np.random.default_rng(0)
    noise = Block("posters", rng.normal(size=(len(counts), 40)))
    found = forecaster(counts + 1, [blocks[0], noise])
    metadata, posters = found.gains
    assert metadata.helps
    assert not posters.helps
    assert posters.nats > -0.002
    assert found.whole.nats == pytest.approx(metadata.nats + posters.nats)


def test_few_titles_are_refused_and_what_is_constant_changes_nothing() -> None:
    counts = titles(0.0)[1]
    with pytest.raises(NotEnoughLabels, match="needs 30"):
        forecaster(counts[:29] + 1, [])
    alone = forecaster(counts + 1, [])
    flat = forecaster(counts + 1, [Block("metadata", np.ones((len(counts), 2)))])
    assert flat.shares({"metadata": np.ones((1, 2))})[0] == pytest.approx(alone.shares({})[0], abs=1e-6)
    assert alone.whole.nats == 0
