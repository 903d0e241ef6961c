"""The sample ratio check on the real tests; the winner's curse: the best image of one half, measured in the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from attune.models.evaluation.intervals import share_interval
from attune.models.insights.outcomes import Outcomes
from attune.models.insights.sample_ratio import sample_ratios
from attune.models.insights.shrinkage import shrink
from attune.models.insights.standouts import beside_expected
from benchmarks.insights.arms import Arms, Floats

DRAWS = 2000


def ratio(arms: Arms) -> list[dict[str, Any]]:
    """Flagged shares in the time of the fault and outside it."""
    found = sample_ratios(arms.outcomes.title, arms.outcomes.impressions)
    spoiled = arms.spoiled()[found.cell]
    rows = []
    for name, kept in (("time of the fault", spoiled), ("other tests", ~spoiled)):
        count, flagged = int(kept.sum()), int(found.flagged[kept].sum())
        lo, hi = share_interval(flagged, count)
        rows.append({"tests": name, "n": count, "flagged": flagged, "share": flagged / count, "lo": lo, "hi": hi})
    return rows


def curse(arms: Arms, splits: int, seed: int) -> list[dict[str, Any]]:
    """Ratio of what is said of the best image to an independent half, and squared error of all images, by method.

    Squared errors are against the other half, less that half's own noise; the interval is over splits. ``attune`` is
    what pages of clusters say of single images, ``as insights`` the way in which headlines of insights are shrunk.
    """
    checked = sample_ratios(arms.outcomes.title, arms.outcomes.impressions)
    rows = arms.outcomes.where(~np.isin(arms.outcomes.title, checked.cell[checked.flagged]))
    figures = [_split(rows, np.random.default_rng([seed, i])) for i in range(splits)]
    rng = np.random.default_rng([seed, splits])
    again = rng.integers(splits, size=(DRAWS, splits))
    result = []
    for method in figures[0]:
        values = np.array([one[method] for one in figures])  # (splits, 3): said, true, squared error
        said, true, error = values.mean(axis=0)
        means = values[again].mean(axis=1)
        lo, hi = np.quantile(means[:, 0] / means[:, 1], [0.025, 0.975])
        raw = np.array([one["raw"][2] for one in figures]).mean()
        result.append(
            {"method": method, "splits": splits, "tests": len(np.unique(rows.title)), "said": said, "true": true,
             "ratio": said / true, "lo": lo, "hi": hi, "squared_error": error, "of_raw": error / raw}
        )  # fmt: skip
    return result


def _split(rows: Outcomes, rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """What each method says of the best image, the truth in the other half, and the squared error of all images.

    In takes over expected takes, less 1: unlike its logarithm, that is unbiased where takes are few.
    """
    title, shown, takes = rows.title, rows.impressions, rows.takes
    half = rng.binomial(takes.astype(np.int64), 0.5).astype(np.float64)
    drawn = beside_expected(replace(rows, takes=half)).ratio
    expected, share = _expected(title, shown, half)
    truth_expected, _ = _expected(title, shown, takes - half)
    kept = (expected > 0) & (truth_expected > 0)
    title, half, expected, share = title[kept], half[kept], expected[kept], share[kept]
    attune = np.where(np.isnan(drawn[kept]), 1.0, drawn[kept])  # it cannot be told: as expected
    weight = truth_expected[kept]
    truth = (takes[kept] - half) / weight
    raw = half / expected
    error = np.sqrt((1 - share) / expected)
    headline = np.exp(shrink(np.log((half + 0.5) / (expected + 0.5)), error).estimate)
    best = _best(title, raw)
    noise = float(((1 - share) * truth / weight).mean())
    return {
        name: (
            float(np.average(values[best] - 1, weights=weight[best])),
            float(np.average(truth[best] - 1, weights=weight[best])),
            float(((values - truth) ** 2).mean()) - noise,
        )
        for name, values in {"raw": raw, "zero": raw * 0 + 1, "attune": attune, "as insights": headline}.items()
    }


def _expected(title: Any, shown: Floats, takes: Floats) -> tuple[Floats, Floats]:
    """Takes of each image if all of its title were alike, and its share of the title's impressions."""
    share = shown / np.bincount(title, shown)[title]
    return np.bincount(title, takes)[title] * share, share


def _best(title: Any, value: Floats) -> Any:
    order = np.lexsort((-value, title))
    _, first = np.unique(title[order], return_index=True)
    chosen = order[first]
    return chosen[np.isfinite(value[chosen])]
