"""A learned space on titles that it did not learn from, beside the plain ways that it must beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.intervals import percentile_interval, title_draws
from attune.models.similarity.label_maps import logistic_map, ridge_map
from attune.models.similarity.neighbour_lists import costs
from attune.models.similarity.neighbour_measures import FIGURES, ListMeasures, measure_lists
from attune.models.similarity.network_words import AGAINST
from attune.models.similarity.plain_tuning import PlainSettings
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.taste_learning import PrincipalAxes
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
DRAWS = 500
MOST = 5000  # held-out images: lists of all among all grow with the square
FEWEST = 20
PROJECTION = "projection"


def compare(
    space: LearnedSpace,
    taught: tuple[Floats, Floats],
    held: tuple[Floats, Floats],
    titles: npt.ArrayLike,
    seed: int,
    plain: PlainSettings | None = None,
    network: tuple[LearnedSpace, Floats] | None = None,
) -> dict[str, Any] | None:
    """Figures with 95 % intervals over titles, by method: the space, raw vectors, ridge and logistic regression.

    ``taught`` and ``held`` are vectors (n, d) and labels (n, k) multi-hot; ``titles`` those of ``held``. ``plain`` has
    the penalties of the two regressions, by default the usual ones. With a ``network``, a space and its own vectors of
    ``held``, that is "space", ``space`` is "projection", and "against_projection" has the paired differences. None with
    fewer than ``FEWEST`` held-out images.
    """
    chosen = plain or PlainSettings()
    names = np.asarray(titles, dtype=np.str_)
    rng = np.random.default_rng([seed, 66])
    rows = np.flatnonzero(held[1].sum(axis=1) > 0)
    if len(rows) < FEWEST:
        return None
    if len(rows) > MOST:
        rows = np.sort(rng.choice(rows, MOST, replace=False))
    x, labels, names = held[0][rows], held[1][rows], names[rows]
    draws = title_draws(names.tolist(), rng, DRAWS)
    found: dict[str, Any] = {"images": len(rows), "titles": len(np.unique(names)), "plain": chosen.facts()}
    mine = "space" if network is None else PROJECTION
    lists = {}
    for method, see in _ways(space, *taught, chosen).items():
        vectors = see(x)
        hubs = costs(vectors, names, space.hub_weight) if method == "space" else None
        lists[mine if method == "space" else method] = measure_lists(vectors, names, labels, hubs)
    if network is not None:
        vectors = network[0].vectors(network[1][rows])
        lists["space"] = measure_lists(vectors, names, labels, costs(vectors, names, network[0].hub_weight))
        found[AGAINST] = _differences(lists["space"], lists[PROJECTION], draws)
    return found | {method: _figures(one, draws) for method, one in lists.items()}


def _ways(
    space: LearnedSpace, x: Floats, labels: Floats, plain: PlainSettings
) -> dict[str, Callable[[Floats], Floats]]:
    axes = PrincipalAxes(space.mean, space.components)
    there = labels.sum(axis=1) > 0
    features, given = axes.features(x[there]), labels[there]
    ridge, logistic = ridge_map(features, given, plain.ridge), logistic_map(features, given, plain.c)
    return {
        "space": space.vectors,
        "raw": unit_length,
        "ridge": lambda rows: unit_length(axes.features(rows) @ ridge.T),
        "logistic": lambda rows: unit_length(axes.features(rows) @ logistic.T),
    }


def _differences(mine: ListMeasures, other: ListMeasures, draws: npt.NDArray[np.float64]) -> dict[str, Any]:
    """By figure how much higher ``mine`` is; the same titles are drawn for both."""
    found = {}
    for name in FIGURES:
        value = float(mine.figure(name) - other.figure(name))
        lo, hi = percentile_interval(mine.figure(name, draws) - other.figure(name, draws), value)
        found[name] = {"value": round(value, 4), "lo": round(lo, 4), "hi": round(hi, 4)}
    return found


def _figures(lists: ListMeasures, draws: npt.NDArray[np.float64]) -> dict[str, Any]:
    found: dict[str, Any] = {"in_degree": lists.largest_in_degree}
    for name in FIGURES:
        value = float(lists.figure(name))
        lo, hi = percentile_interval(lists.figure(name, draws), value)
        found[name] = {"value": round(value, 4), "lo": round(lo, 4), "hi": round(hi, 4)}
    return found
