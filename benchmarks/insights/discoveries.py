"""A hundred attributes tied to popularity, twenty of them with a true effect put in by thinning real clicks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from attune.models.insights.false_discovery import q_values
from attune.models.insights.outcomes import Outcomes
from benchmarks.insights.arms import Arms, Floats, analyses

ATTRIBUTES, TRUE, Q, DRAWS = 100, 20, 0.1, 2000
EFFECTS = (0.03, 0.1)  # of either sign, drawn evenly


def fdr(arms: Arms, runs: int, seed: int) -> list[dict[str, Any]]:
    """A row for each analysis: realised share of false discoveries and power, with intervals over runs."""
    found: dict[str, list[tuple[float, float]]] = {}
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        x, effects = _world(arms, rng)
        rows = thinned(arms.outcomes, x.T @ effects, rng)
        p: dict[str, list[float]] = {}
        for column in x:
            for name, (_, value) in analyses(rows, column).items():
                p.setdefault(name, []).append(value)
        for name, values in p.items():
            found.setdefault(name, []).append(_shares(q_values(values) <= Q, effects != 0))
    rng = np.random.default_rng([seed, runs])
    return [{"method": name, "runs": runs} | _summary(np.array(shares), rng) for name, shares in found.items()]


def _world(arms: Arms, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Attributes (100, n) and their effects (100,), most of them 0."""
    x = np.empty((ATTRIBUTES, len(arms.rank)))
    for column in x:
        logit = np.log(1 / rng.uniform(0.1, 0.5) - 1)
        column[:] = rng.random(len(column)) < 1 / (1 + np.exp(logit - 3 * rng.uniform(-1, 1) * (arms.rank - 0.5)))
    effects = np.zeros(ATTRIBUTES)
    effects[:TRUE] = np.log1p(rng.uniform(*EFFECTS, TRUE)) * rng.choice([-1, 1], TRUE)
    return x, effects


def thinned(rows: Outcomes, log_ratio: Floats, rng: np.random.Generator) -> Outcomes:
    """Real takes, of which each is kept with a chance in proportion to exp(``log_ratio``): the noise stays real."""
    kept = rng.binomial(rows.takes.astype(np.int64), np.exp(log_ratio - log_ratio.max()))
    return replace(rows, takes=kept.astype(np.float64))


def _shares(found: Any, true: Any) -> tuple[float, float]:
    return float((found & ~true).sum() / max(found.sum(), 1)), float((found & true).sum() / true.sum())


def _summary(shares: Floats, rng: np.random.Generator) -> dict[str, Any]:
    means = shares[rng.integers(len(shares), size=(DRAWS, len(shares)))].mean(axis=1)
    (false_lo, power_lo), (false_hi, power_hi) = np.quantile(means, [0.025, 0.975], axis=0)
    return {
        "false_share": float(shares[:, 0].mean()), "false_lo": false_lo, "false_hi": false_hi,
        "power": float(shares[:, 1].mean()), "power_lo": power_lo, "power_hi": power_hi,
    }  # fmt: skip
