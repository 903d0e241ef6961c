"""Figures of each way with intervals over titles, and how far the product's way is ahead of the plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.intervals import percentile_interval, title_draws
from attune.models.similarity.neighbour_measures import FIGURES, ListMeasures

Floats = npt.NDArray[np.float64]
DRAWS = 1000
AGAINST = ("raw", "ridge", "logistic")


def draws_of(titles: Sequence[str]) -> Floats:
    """How often each query is in each resample of titles, (draws, n): the same for all ways, so that they pair."""
    return title_draws(titles, np.random.default_rng(66), DRAWS)


def figures(lists: Mapping[str, Sequence[ListMeasures]], draws: Floats) -> dict[str, dict[str, Any]]:
    """By way: each figure's mean over seeds with its interval, and the largest in-degree of any seed."""
    found: dict[str, dict[str, Any]] = {}
    for way, seeds in lists.items():
        row: dict[str, Any] = {name: _held(*_over_seeds(seeds, name, draws)) for name in FIGURES}
        row["by_seed"] = [one.figures() for one in seeds]
        row["in_degree"] = max(one.largest_in_degree for one in seeds)
        row["ever_shown"] = float(np.mean([(one.shown > 0).mean() for one in seeds]))
        found[way] = row
    return found


def differences(lists: Mapping[str, Sequence[ListMeasures]], draws: Floats) -> list[dict[str, Any]]:
    """``attune`` less each of ``AGAINST``, paired over resampled titles."""
    rows = []
    for other in (name for name in AGAINST if name in lists and "attune" in lists):
        for name in FIGURES:
            mine, theirs = _over_seeds(lists["attune"], name, draws), _over_seeds(lists[other], name, draws)
            rows.append({"attune minus": other, "figure": name} | _held(mine[0] - theirs[0], mine[1] - theirs[1]))
    return rows


def table(found: Mapping[str, dict[str, Any]], left_out: Mapping[str, float]) -> list[dict[str, Any]]:
    """Rows for the screen."""
    return [
        {"method": way}
        | {name: row[name]["value"] for name in FIGURES}
        | {"in_degree": row["in_degree"], "left_out": left_out.get(way, float("nan"))}
        for way, row in found.items()
    ]


def _over_seeds(seeds: Sequence[ListMeasures], name: str, draws: Floats) -> tuple[float, Floats]:
    value = float(np.mean([one.figure(name) for one in seeds]))
    return value, np.mean([one.figure(name, draws) for one in seeds], axis=0)


def _held(value: float, sample: Floats) -> dict[str, float]:
    lo, hi = percentile_interval(sample, value)
    return {"value": value, "lo": lo, "hi": hi}
