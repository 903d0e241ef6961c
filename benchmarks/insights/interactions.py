"""Two features in one model on real tests: planted differences of an effect, none, and an effect with another held.

Attributes are made up and tied to popularity, the second follows the first, and their effects are put into real clicks
by thinning. ``held`` in a row's method: the effect with the second attribute held; else the difference of the first's
effect where the second is there and where it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from attune.models.evaluation.intervals import share_interval
from attune.models.insights.outcomes import Outcomes
from attune.models.insights.probed import Probed
from attune.models.insights.two_features import Feature, depends, holding
from benchmarks.insights.arms import Arms, Floats, attribute
from benchmarks.insights.discoveries import thinned
from benchmarks.insights.placebo import FEW, LEVEL
from benchmarks.insights.probe_errors import PROBES, ROUNDS, audited, scores, summary
from benchmarks.insights.record import Found, Record, Told, repeated

FIRST, SECOND, MORE = -0.1, 0.15, 0.1
SLOWER = 4  # draws of what is known for one of what a probe says
PREVALENCE, BOTH = 0.4, 0.4  # the share of arms where the second is a copy of the first


def interactions(
    arms: Arms, draws: int, seed: int, only: Collection[str] = (), record: Record | None = None
) -> list[dict[str, Any]]:
    """A row for each setting (``only`` these, if any) and method: rejections at 5 %, coverage, width and bias."""
    settings: dict[str, tuple[float, str, int]] = {"known, no difference": (0.0, "", 0), "known": (MORE, "", 0)}
    settings |= {f"{probe} probe": (MORE, probe, 0) for probe in PROBES}
    settings |= {"good probe, no difference": (0.0, "good", 0)}
    settings |= {f"{titles} titles, no difference": (0.0, "", titles) for titles in FEW[1:]}
    settings |= {f"{probe} probe, no difference": (0.0, probe, 0) for probe in PROBES}  # the last: numbers are seeds
    rows = []
    for number, (name, (more, probe, titles)) in enumerate(settings.items()):
        if only and name not in only:
            continue

        def campaign(
            rng: np.random.Generator, audits: int, of: tuple[float, str, int] = (more, probe, titles)
        ) -> Found:
            return _campaign(arms, *of, rng, audits)

        found, failed = repeated(name, campaign, max(1, draws // SLOWER) if probe else draws, (seed, number), record)
        rows += [
            {"setting": name, "method": method} | _rejections(told) | summary(told, failed)
            for method, told in found.items()
        ]
        sys.stderr.write(f"{name}: done\n")
    return rows


def _rejections(told: Sequence[Told]) -> dict[str, Any]:
    rejected = sum(one.p < LEVEL for one in told)
    lo, hi = share_interval(rejected, len(told))
    return {"rejected": rejected / len(told), "rejected_lo": lo, "rejected_hi": hi}


def _campaign(
    arms: Arms, more: float, probe: str, titles: int, rng: np.random.Generator, seed: int
) -> Found:  # fmt: skip
    first = attribute(arms, PREVALENCE, True, rng)
    second = np.where(rng.random(len(first)) < BOTH, first, attribute(arms, PREVALENCE, True, rng))
    rows = thinned(arms.outcomes, FIRST * first + SECOND * second + more * first * second, rng)
    by_first, by_second = _by_asset(rows, first), _by_asset(rows, second)
    if not probe:
        part, least = rows, 30
        if titles:
            part, least = rows.where(np.isin(rows.title, rng.choice(len(arms.names), titles, replace=False))), 2
        return _told(part, by_first, by_second, None, more, least)
    score = scores(rows, first, PROBES[probe], rng)
    given = audited(arms, rows, first, score, [score] * ROUNDS, seed)
    return _told(rows, by_first, by_second, given, more)


def _told(
    rows: Outcomes, first: Floats, second: Floats, given: Probed | None, more: float, least: int = 30
) -> Found:  # fmt: skip
    """The difference, and the first's effect with the second held where there is no difference."""
    other = Feature(second)
    said = {"attune": Feature(first if given is None else given.says, probed=given)}
    if given is not None:
        said["thresholded"] = Feature(given.says)
    found: Found = []
    for name, one in said.items():
        found.append((name, depends(rows, one, other, least_titles=least).difference, more))
        if not more:
            held = holding(rows, one, other, least_titles=least)
            found += [(f"{name}, held", held.held, FIRST), (f"{name}, not held", held.alone, FIRST)]
    return found


def _by_asset(rows: Outcomes, x: Floats) -> Floats:
    values = np.empty(int(rows.asset.max()) + 1)
    values[rows.asset] = x
    return values
