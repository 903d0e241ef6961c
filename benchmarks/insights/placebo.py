"""Attributes that do nothing: how often is an effect reported at 5 %?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t as student

from attune.models.evaluation.intervals import share_interval
from attune.models.insights.within_title import within_title
from benchmarks.insights.arms import Arms, analyses, attribute, p_of

LEVEL = 0.05
PREVALENCES = (0.1, 0.4)
FEW = (30, 60, 120)  # titles, for the correction of small samples


def placebo(arms: Arms, draws: int, seed: int) -> list[dict[str, Any]]:
    """A row for each prevalence, tie to popularity and analysis."""
    rows = []
    for prevalence in PREVALENCES:
        for tied in (False, True):
            found: dict[str, list[tuple[float, float]]] = {}
            for draw in range(draws):
                rng = np.random.default_rng([seed, int(prevalence * 100), tied, draw])
                for name, result in analyses(arms.outcomes, attribute(arms, prevalence, tied, rng)).items():
                    found.setdefault(name, []).append(result)
            setting = {"prevalence": prevalence, "tied": tied, "titles": len(arms.names)}
            rows += [setting | {"method": name} | rejections(results) for name, results in found.items()]
    return rows


def few_titles(arms: Arms, draws: int, seed: int) -> list[dict[str, Any]]:
    """The same on a few tests, other ones in each draw: by Attune's t distribution, and by a normal one."""
    rows: list[dict[str, Any]] = []
    for titles in FEW:
        found: dict[str, list[tuple[float, float]]] = {"attune": [], "attune, t of G - 1": [], "attune, normal": []}
        for draw in range(draws):
            rng = np.random.default_rng([seed, titles, draw])
            chosen = rng.choice(len(arms.names), titles, replace=False)
            part = arms.outcomes.where(np.isin(arms.outcomes.title, chosen))
            x = (rng.random(len(part)) < 0.4).astype(np.float64)
            ours = within_title(part, x, least_titles=2)
            plain = float(2 * student.sf(abs(ours.estimate) / ours.se, ours.titles - 1))
            found["attune"].append((ours.estimate, ours.p))
            found["attune, t of G - 1"].append((ours.estimate, plain))
            found["attune, normal"].append((ours.estimate, p_of(ours.estimate, ours.se)))
        setting = {"prevalence": 0.4, "tied": False, "titles": titles}
        rows += [setting | {"method": name} | rejections(results) for name, results in found.items()]
    return rows


def rejections(results: list[tuple[float, float]]) -> dict[str, Any]:
    """The share of ``results``, each an estimate and a p, that is below ``LEVEL``, with its 95 % interval."""
    estimate, p = np.array(results).T
    rejected = int((p < LEVEL).sum())
    lo, hi = share_interval(rejected, len(p))
    return {"draws": len(p), "rejected": rejected / len(p), "lo": lo, "hi": hi, "mean_estimate": float(estimate.mean())}
