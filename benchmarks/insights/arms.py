"""The real randomised tests, made-up attributes on them, and the analyses that people usually do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyarrow import csv
from scipy.stats import norm

from attune.models.insights.outcomes import Outcomes, outcomes
from attune.models.insights.within_title import within_title

Floats = npt.NDArray[np.float64]
ODDS = 20.0  # of having the attribute, from the least to the most clicked test
# Tests of this time were not all randomised: a server's cache (README of the data).
SPOILED = (datetime(2013, 6, 25, tzinfo=UTC), datetime(2014, 1, 11, tzinfo=UTC))


@dataclass(frozen=True, eq=False)
class Arms:
    """Rows of ``outcomes`` (n,): asset = arm, title = test; ``names`` (t,) of the tests; ``rank`` (n,) of the test by
    its click rate, 0 to 1."""

    outcomes: Outcomes
    names: npt.NDArray[np.str_]
    rank: Floats

    def spoiled(self) -> npt.NDArray[np.bool_]:
        """Which tests (t,) began in the time of the fault."""
        begun = [datetime.fromtimestamp(int(name[:8], 16), UTC) for name in self.names]
        return np.array([SPOILED[0] <= at < SPOILED[1] for at in begun])


def load(path: Path) -> Arms:
    """Read ``arms.csv``: test_id, arm_id, impressions, clicks."""
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types={"test_id": "string"}))
    names, test = np.unique(table["test_id"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    asset = np.arange(len(test))
    rows = outcomes(asset, test, np.zeros(len(test)), table["impressions"].to_numpy(), table["clicks"].to_numpy())
    rate = np.bincount(rows.title, rows.takes) / np.maximum(np.bincount(rows.title, rows.impressions), 1)
    rank = np.argsort(np.argsort(rate)) / max(len(rate) - 1, 1)
    return Arms(rows, names, rank[rows.title])


def attribute(arms: Arms, prevalence: float, tied: bool, rng: np.random.Generator) -> Floats:
    """A made-up attribute (n,) of 0 and 1; ``tied``: popular tests have it more often."""
    logit = np.log(prevalence / (1 - prevalence)) + (np.log(ODDS) * (arms.rank - 0.5) if tied else 0.0)
    drawn: Floats = (rng.random(len(arms.rank)) < 1 / (1 + np.exp(-logit))).astype(np.float64)
    return drawn


def analyses(rows: Outcomes, x: Floats) -> dict[str, tuple[float, float]]:
    """Estimate and p of each analysis: pooled rates with either error, within titles with either error."""
    estimate, naive, clustered = pooled(rows, x)
    ours = within_title(rows, x)
    return {
        "pooled": (estimate, p_of(estimate, naive)),
        "pooled, clustered": (estimate, p_of(estimate, clustered)),
        "within title, model errors": (ours.estimate, p_of(ours.estimate, ours.model_se)),
        "attune": (ours.estimate, ours.p),
    }


def pooled(rows: Outcomes, x: Floats) -> tuple[float, float, float]:
    """Log ratio of the pooled rates, its Poisson error, and its error clustered by title."""
    sides = [x == 1, x == 0]
    takes, shown = ([column[side].sum() for side in sides] for column in (rows.takes, rows.impressions))
    rates = [y / n for y, n in zip(takes, shown, strict=True)]
    ones, zeros = (
        (rows.takes - rate * rows.impressions) * side / y for rate, side, y in zip(rates, sides, takes, strict=True)
    )
    by_title = np.bincount(rows.title, ones - zeros)
    naive = float(np.sqrt(sum(1 / y for y in takes)))
    return float(np.log(rates[0] / rates[1])), naive, float(np.sqrt((by_title**2).sum()))


def p_of(estimate: float, se: float) -> float:
    """Two-sided, normal."""
    return float(2 * norm.sf(abs(estimate) / se))
