"""Groups of members and forecasts on made-up members whose groups are known (`models.members.simulate`).

Seeds here are from 100 on; those below were looked at while choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_rand_score

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats
from attune.models.members.response_groups import Responses, response_groups
from attune.models.members.share_forecast import Block, forecaster
from attune.models.members.simulate import Simulated, World, simulate
from attune.models.members.small_cells import FLOOR
from attune.models.members.viewing_groups import viewing_groups

Bools = npt.NDArray[np.bool_]
FIRST_SEED = 100
RUNS = 10
BY_RESPONSE = 3  # runs: each takes long
NEW = 0.3  # of the titles are to come: nobody has watched them
WIDTH = 64  # numbers of a poster that say nothing
VIEWING = {"3 groups": World(groups=3), "4 groups": World(groups=4), "6 groups": World(groups=6)}
SMALL = World(members=1500, titles=200)
RESPONSES = {
    "2 groups": replace(SMALL, groups=2), "3 groups": replace(SMALL, groups=3), "none": replace(SMALL, groups=1),
}  # fmt: skip
FORECASTS = {
    "posters tell": World(images=1, by_look=0.5), "posters tell a little": World(images=1, by_look=0.15),
    "posters say nothing": World(images=1, by_look=0.0),
}  # fmt: skip


def groups(runs: int, seed: int) -> list[dict[str, Any]]:
    """How well planted groups are found, by viewing and by response, with the number of groups chosen by stability."""
    rows = []
    for name, planted in VIEWING.items():
        world = replace(planted, images=1)
        found = _each(partial(_by_viewing, world), runs, seed)
        rows.append(_summary("viewing", name, world.groups, found))
    for name, world in RESPONSES.items():
        found = _each(partial(_by_response, world), min(runs, BY_RESPONSE), seed)
        rows.append(_summary("responses", name, world.groups, found))
    return rows


def _each(measure: Callable[[int], Any], runs: int, seed: int) -> list[Any]:
    """What ``measure`` finds for each seed, on two cores."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(measure, range(FIRST_SEED + seed, FIRST_SEED + seed + runs)))


def _by_viewing(world: World, seed: int) -> tuple[int, float, float]:
    made = simulate(world, seed)
    found = viewing_groups(made.views, seed=seed)
    there = found.label >= 0
    return found.count, adjusted_rand_score(made.group[there], found.label[there]), found.stability


def _by_response(world: World, seed: int) -> tuple[int, float, float]:
    made = simulate(world, seed)
    try:
        found = response_groups(Responses(made.impressions, made.takes, made.title), seed=seed)
    except NotEnoughLabels:  # no groups: what should be said where there are none
        return 1, float(len(np.unique(made.group)) == 1), 0.0
    return found.count, adjusted_rand_score(made.group, found.label), found.stability


def _summary(by: str, name: str, planted: int, found: Sequence[tuple[int, float, float]]) -> dict[str, Any]:
    counts, index, stability = (np.array(column) for column in zip(*found, strict=True))
    return {
        "by": by, "planted": name, "runs": len(found), "right_number": float((counts == planted).mean()),
        "ari": float(index.mean()), "ari_least": float(index.min()), "stability": float(stability.mean()),
    }  # fmt: skip


def forecasts(runs: int, seed: int) -> list[dict[str, Any]]:
    """Nats a view over the base shares, of titles that had no say, against their true shares."""
    rows = []
    for name, world in FORECASTS.items():
        found = _each(partial(_forecast, world), runs, seed)
        rows += [_row(name, method, [one[method] for one in found]) for method in found[0]]
    return rows


def _forecast(world: World, seed: int) -> dict[str, dict[str, float]]:
    made = simulate(world, seed)
    rng = np.random.default_rng([seed, 1])
    new = rng.random(world.titles) < NEW
    counts = np.stack([np.asarray(made.views[made.group == one].sum(axis=0)) for one in range(world.groups)], axis=1)
    known = ~new & (counts.sum(axis=1) >= FLOOR)
    genre = np.eye(world.genres)[made.genre]
    noise = rng.normal(size=(world.titles, WIDTH)) / np.sqrt(WIDTH)
    poster = np.hstack([made.poster, noise])
    methods = {
        "metadata": {"metadata": genre}, "metadata, posters": {"metadata": genre, "posters": poster},
        "one penalty for both": {"both": np.hstack([genre, poster])},
    }  # fmt: skip
    found = {}
    for method, blocks in methods.items():
        found[method] = _measured(made, counts, known, new, blocks)
    plain = found["metadata"]["nats"]
    for one in found.values():
        one["over_metadata"] = one["nats"] - plain
    return found


def _measured(
    made: Simulated, counts: Floats, known: Bools, new: Bools, blocks: Mapping[str, Floats]
) -> dict[str, float]:
    model = forecaster(counts[known], [Block(name, values[known]) for name, values in blocks.items()])
    said, low, high = model.shares({name: values[new] for name, values in blocks.items()})
    truth = made.shares[new]
    nats = (truth * (np.log(said) - np.log(model.base))).sum(axis=1).mean()
    inside = ((low <= truth) & (truth <= high)).mean()
    return {"nats": float(nats), "coverage": float(inside), "width": float((high - low).mean()),
            "told": model.whole.nats}  # fmt: skip


def _row(name: str, method: str, found: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    values = {key: np.array([one[key] for one in found]) for key in found[0]}
    nats, more = values["nats"], values["over_metadata"]
    half = 1.96 / np.sqrt(len(found))
    return {
        "world": name, "method": method, "runs": len(found), "nats": float(nats.mean()),
        "lo": float(nats.mean() - half * nats.std(ddof=1)), "hi": float(nats.mean() + half * nats.std(ddof=1)),
        "nats_least": float(nats.min()), "over_metadata": float(more.mean()), "over_metadata_least": float(more.min()),
        "told": float(values["told"].mean()), "coverage": float(values["coverage"].mean()),
        "width": float(values["width"].mean()),
    }  # fmt: skip
