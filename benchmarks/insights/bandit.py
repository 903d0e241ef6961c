"""What a bandit's own traffic says, beside rows that were shown at random: simulated titles whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.propensity import weighted
from attune.models.insights.simulate import Simulated, World, simulate
from attune.models.insights.within_title import Effect, within_title

TITLES, RUNS = 800, 20
Mask = npt.NDArray[np.bool_]


def bandit(runs: int, seed: int) -> list[dict[str, Any]]:
    """A row for each kind of serving and analysis: the mean estimate, how often it is within two errors of the truth,
    and the grade that such rows can have at best."""
    rows = []
    for name, contextual in (("one for all members", False), ("for each group", True)):
        found: dict[str, list[Effect]] = {}
        for run in range(runs):
            told = simulate(World(titles=TITLES, contextual=contextual), seed * 1000 + run)
            for analysis, (_, analyse) in ANALYSES.items():
                found.setdefault(analysis, []).append(analyse(told))
        rows += [_row(name, analysis, effects, told.effect) for analysis, effects in found.items()]
    return rows


def _row(served: str, analysis: str, effects: list[Effect], truth: float) -> dict[str, Any]:
    off = np.array([one.estimate - truth for one in effects])
    se = np.array([one.se for one in effects])
    return {
        "served": served, "analysis": analysis, "grade": ANALYSES[analysis][0], "runs": len(effects), "truth": truth,
        "mean_estimate": truth + float(off.mean()), "bias": float(off.mean()), "se": float(se.mean()),
        "within_2_se": float((np.abs(off) <= 2 * se).mean()),
        "mean_within_2_se": bool(abs(off.mean()) <= 2 * off.std(ddof=1) / np.sqrt(len(off))),
    }  # fmt: skip


def _measured(
    told: Simulated, kept: Mask, by_group: bool = False, by_propensity: bool = False
) -> tuple[Outcomes, Floats]:
    """Rows summed by title, asset and, where asked, group of members; weighted by 1 / propensity where asked."""
    rows = told.rows
    asset = np.array([int(name.split("-")[1]) for name in rows["asset_id"][kept].tolist()])
    group = np.unique(rows["member_cluster"][kept], return_inverse=True)[1].reshape(-1) * by_group
    weight = 1 / rows["propensity"][kept] if by_propensity else np.ones(int(kept.sum()))
    key, place = np.unique(np.stack([asset, group], axis=1), axis=0, return_inverse=True)
    place = place.reshape(-1)
    shown, takes = (np.bincount(place, rows[name][kept] * weight) for name in ("impressions", "takes"))
    images = len(told.has) // len(np.unique(told.title_ids))
    held = outcomes(key[:, 0], key[:, 0] // images, key[:, 1], shown, takes)
    return held, told.has[held.asset]


def _attune(told: Simulated) -> tuple[Outcomes, Floats]:
    """Served rows as Attune weighs them: within title, group of members and day, clipped."""
    kept, rows = _served(told), told.rows
    asset = np.array([int(name.split("-")[1]) for name in rows["asset_id"][kept].tolist()])
    days = np.unique(rows["period_start"][kept], return_inverse=True)[1].reshape(-1)
    groups = np.unique(rows["member_cluster"][kept], return_inverse=True)[1].reshape(-1)
    stratum = days * (int(groups.max()) + 1) + groups
    images = len(told.has) // len(np.unique(told.title_ids))
    counts = (rows[name][kept].astype(np.float64) for name in ("impressions", "takes", "propensity"))
    held, overlap = weighted(asset, asset // images, stratum, *counts)
    if not overlap.enough:
        raise NotEnoughLabels(f"The images overlap too little: {overlap}.")
    return held, told.has[held.asset]


def _served(told: Simulated) -> Mask:
    return np.asarray(told.rows["arm"] == "serve")


ANALYSES: dict[str, tuple[str, Callable[[Simulated], Effect]]] = {
    "explore rows": ("A", lambda told: within_title(*_measured(told, ~_served(told)))),
    "served, attune: weighted by propensity": ("B", lambda told: within_title(*_attune(told))),
    "served, weighted, all days in one": (
        "B",
        lambda told: within_title(*_measured(told, _served(told), by_propensity=True)),
    ),
    "served, within title": ("C", lambda told: within_title(*_measured(told, _served(told)))),
    "served, within title and group": ("C", lambda told: within_title(*_measured(told, _served(told), by_group=True))),
}
