"""What goes with what, across titles: for a feature that is the same for all images of a title. Grade D, never better.

Poisson regression with an effect of each canvas and none of the titles; errors clustered by title. Whatever makes a
title popular is in the figure, so it predicts and does not explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.within_title import EXACT, LEAST_TITLES, LEVEL, STEPS, Effect


def across_titles(outcomes: Outcomes, x: npt.ArrayLike, least_titles: int = LEAST_TITLES) -> Effect:
    """How much more often images with a higher ``x`` (n,) are taken, on the same canvas, whatever their title.

    NaN in ``x`` leaves a row out. ``tau`` and ``share_other_way`` are 0: not asked here. Raises NotEnoughLabels for
    fewer than ``least_titles`` titles on either side of the middle, and where one side was never taken.
    """
    values = np.asarray(x, dtype=np.float64)
    kept = np.isfinite(values) & (outcomes.impressions > 0)
    rows, values = outcomes.where(kept), values[kept]
    titles = _fewest_titles(rows, values)
    if titles < least_titles:
        raise NotEnoughLabels(
            f"Only {titles} titles are on one side of the comparison. At least {least_titles} are needed on each."
        )
    fitted = _Fit.of(rows, values)
    estimate, weight, score = fitted.solve()
    _, title = np.unique(rows.title, return_inverse=True)
    by_title: Floats = np.bincount(title.reshape(-1), score).astype(np.float64)
    of_title: Floats = np.bincount(title.reshape(-1), weight).astype(np.float64)
    total, count = float(weight.sum()), len(by_title)
    se = float(np.sqrt((by_title**2).sum() / total**2 * count / max(count - 1, 1)))
    degrees = max(1.0, float(of_title.sum() ** 2 / (of_title**2).sum()) - 1)
    half = float(stdtrit(degrees, (1 + LEVEL) / 2)) * se
    return Effect(
        estimate=estimate, se=se, ci=(estimate - half, estimate + half),
        p=float(2 * stdtr(degrees, -abs(estimate) / se)) if se else 1.0, degrees=degrees, titles=count,
        assets=len(np.unique(rows.asset)), impressions=int(rows.impressions.sum()), takes=float(rows.takes.sum()),
        tau=0.0, share_other_way=0.0, model_se=total**-0.5,
    )  # fmt: skip


def naive(outcomes: Outcomes, x: npt.ArrayLike) -> float | None:
    """The log ratio of all takes over all impressions where ``x`` (n,) is above its middle, to where it is below.

    What a spreadsheet says. It is here to be struck through. None where a side was never taken.
    """
    values = np.asarray(x, dtype=np.float64)
    known = np.isfinite(values)
    if not known.any():
        return None
    middle = (float(values[known].max()) + float(values[known].min())) / 2
    above, below = known & (values > middle), known & (values <= middle)
    taken = [float(outcomes.takes[side].sum()) for side in (above, below)]
    shown = [float(outcomes.impressions[side].sum()) for side in (above, below)]
    if not all(taken) or not all(shown):
        return None
    return float(np.log(taken[0] / shown[0]) - np.log(taken[1] / shown[1]))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Rows (n,) with their stratum counted from 0, and what each stratum was taken in all (s,)."""

    x: Floats
    impressions: Floats
    takes: Floats
    stratum: Ints
    taken: Floats

    @classmethod
    def of(cls, rows: Outcomes, x: Floats) -> _Fit:
        _, stratum = np.unique(rows.canvas, return_inverse=True)
        stratum = stratum.reshape(-1)
        centred = x - np.average(x, weights=rows.impressions)
        taken: Floats = np.bincount(stratum, rows.takes).astype(np.float64)
        return cls(centred, rows.impressions, rows.takes, stratum, taken)

    def evaluate(self, effect: float) -> tuple[Floats, Floats]:
        """Each row's score and information (n,) at ``effect``."""
        weight = self.impressions * np.exp(effect * self.x)
        total = np.bincount(self.stratum, weight)
        mean = np.bincount(self.stratum, weight * self.x) / total
        expected = self.taken[self.stratum] * weight / total[self.stratum]
        apart = self.x - mean[self.stratum]
        return (self.takes - expected) * apart, expected * apart**2

    def solve(self) -> tuple[float, Floats, Floats]:
        """The effect, and each row's information and score there."""
        effect, largest = 0.0, 2.0 / max(float(np.std(self.x)), 1e-12)
        for _ in range(STEPS):
            score, information = self.evaluate(effect)
            if information.sum() <= 0:
                break
            step = max(-largest, min(largest, float(score.sum() / information.sum())))
            effect += step
            if abs(step) < EXACT * max(1.0, abs(effect)):
                score, information = self.evaluate(effect)
                return effect, information, score
        raise NotEnoughLabels(
            "One side of the comparison has no takes. Add more impressions, or compare other classes."
        )


def _fewest_titles(rows: Outcomes, x: Floats) -> int:
    """Titles on the side of the middle that has fewer."""
    if not len(x):
        return 0
    above = x > (float(x.max()) + float(x.min())) / 2
    return min(len(np.unique(rows.title[side])) for side in (above, ~above))
