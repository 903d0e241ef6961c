"""Effects within titles: are images with a property taken more often than others of the same title and canvas?

Conditional Poisson regression: given all takes of a cell (a title on a canvas), each image's share is proportional to
impressions * exp(effect * x), so whatever makes a title popular cancels out (Andersen 1970; Hausman, Hall and Griliches
1984). Errors are clustered by title (Liang and Zeger 1986; Wooldridge 1999), since a title's images and canvases share
their luck, with the factor G / (G - 1) and Student's t. Its degrees of freedom count titles by their information
(Carter, Schnepel and Steigerwald 2017): where a few large titles decide, there are few, whatever the list says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr, stdtrit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.differing import Compared, DifferingCells, Ready
from attune.models.insights.outcomes import Floats, Ints, Outcomes

LEAST_TITLES = 30  # that differ in the property: below, no figure is shown
LEVEL = 0.95
STEPS, EXACT = 50, 1e-10
LARGEST_STEP = 2.0  # standard deviations of x, as a log rate ratio


@dataclass(frozen=True)
class Effect:
    """A log rate ratio: of x = 1 over x = 0, or per unit of x.

    ``titles``, ``assets``, ``impressions`` and ``takes`` count only cells that differ in x and were taken at all: no
    other has a say. ``tau`` is the standard deviation of the effect over titles beyond chance (DerSimonian and Laird
    1986), ``share_other_way`` the share of titles where the effect has the other sign. ``model_se`` is the error that
    ignores what titles share; it is here to be compared, never to be shown.
    """

    estimate: float
    se: float
    ci: tuple[float, float]
    p: float
    degrees: float
    titles: int
    assets: int
    impressions: int
    takes: float
    tau: float
    share_other_way: float
    model_se: float


def contrast(values: npt.ArrayLike, first: str, second: str) -> Floats:
    """x (n,) for the contrast ``first``:``second`` of classes: 1, 0, and NaN for every other class."""
    classes = np.asarray(values, dtype=np.str_)
    return np.where(classes == first, 1.0, np.where(classes == second, 0.0, np.nan))


def per_standard_deviation(values: npt.ArrayLike, asset: Ints) -> tuple[Floats, float]:
    """x (n,) of a number, in standard deviations over the distinct assets, and that standard deviation.

    Raises NotEnoughLabels where the number is the same for all.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    _, first = np.unique(asset[known], return_index=True)
    of_assets = numbers[known][first]
    deviation = float(of_assets.std()) if len(of_assets) else 0.0
    if deviation == 0.0:
        raise NotEnoughLabels("The feature has the same value for every image, so there is nothing to compare.")
    return (numbers - of_assets.mean()) / deviation, deviation


def within_title(outcomes: Outcomes, x: npt.ArrayLike, least_titles: int = LEAST_TITLES) -> Effect:
    """The effect of ``x`` (n,), one value a row, NaN where it is unknown or outside the contrast.

    Raises NotEnoughLabels where fewer than ``least_titles`` titles have images that differ in x, and where one side
    was never taken.
    """
    return effect_within([(outcomes, np.asarray(x, dtype=np.float64))], least_titles)


def effect_within(parts: Iterable[tuple[Outcomes, Floats]], least_titles: int = LEAST_TITLES) -> Effect:
    """``within_title`` of rows in ``parts`` of whole titles, each with its x (n,); they are read several times."""
    ready = Ready(parts)
    told = Compared.of(ready)
    if told.titles < least_titles:
        raise NotEnoughLabels(too_few_titles(told.titles, least_titles))
    estimate = _solve(ready, told.deviation)
    by_title, weight = (
        np.concatenate(each) for each in zip(*(cells.by_title(estimate) for cells in ready), strict=True)
    )
    sure, tau = Clustered.of(estimate, by_title, weight), spread(by_title, weight)
    return Effect(
        estimate=estimate, se=sure.se, ci=sure.ci, p=sure.p, degrees=sure.degrees, titles=told.titles,
        assets=told.assets, impressions=int(told.impressions), takes=told.takes, tau=tau,
        share_other_way=share_other_way(estimate, by_title, weight, tau), model_se=sure.model_se,
    )  # fmt: skip


@dataclass(frozen=True)
class Clustered:
    """How sure an estimate is, its error clustered by title: ``p`` of no effect; ``model_se`` as if rows were
    independent."""

    se: float
    ci: tuple[float, float]
    p: float
    degrees: float
    model_se: float

    @classmethod
    def of(cls, estimate: float, score: Floats, weight: Floats) -> Clustered:
        """From each title's score and information (t,) at the estimate."""
        total, count = float(weight.sum()), len(score)
        se = float(np.sqrt(float((score**2).sum()) / total**2 * count / max(count - 1, 1)))
        degrees = _degrees(weight)
        half = float(stdtrit(degrees, (1 + LEVEL) / 2)) * se
        p = float(2 * stdtr(degrees, -abs(estimate) / se)) if se else 1.0
        return cls(se, (estimate - half, estimate + half), p, degrees, total**-0.5)


def _solve(parts: Iterable[DifferingCells], deviation: float) -> float:
    """Newton's method on a concave likelihood; a step that goes too far is shortened."""
    effect, largest = 0.0, LARGEST_STEP / max(deviation, 1e-12)
    for _ in range(STEPS):
        score, information = 0.0, 0.0
        for cells in parts:
            at = cells.evaluate(effect)
            score, information = score + float(at[0].sum()), information + float(at[1].sum())
        if information <= 0:
            break
        step = max(-largest, min(largest, score / information))
        effect += step
        if abs(step) < EXACT * max(1.0, abs(effect)):
            return effect
    raise NotEnoughLabels(
        "One side of the comparison has no takes, so the difference has no limit. Add more impressions, or compare "
        "other classes."
    )


def _degrees(weight: Floats) -> float:
    """How many titles decide, less one: (sum w)^2 / sum w^2 of the titles' information."""
    return max(1.0, float(weight.sum() ** 2 / (weight**2).sum()) - 1)


def spread(score: Floats, weight: Floats) -> float:
    """The standard deviation of the effect over titles beyond chance, from their scores and information (t,)."""
    score, weight = score[weight > 0], weight[weight > 0]
    excess = float((score**2 / weight).sum()) - (len(weight) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    return float(np.sqrt(max(excess, 0.0) / scale)) if scale > 0 else 0.0


def share_other_way(estimate: float, score: Floats, weight: Floats, tau: float) -> float:
    """The share of titles where the effect has the other sign, from their scores and information (t,).

    Around the mean over titles, where a title with many takes counts little more than another (random effects).
    """
    if not tau:
        return 0.0
    score, weight = score[weight > 0], weight[weight > 0]
    share = weight / (1 + weight * tau**2)
    middle = estimate + float((share * score / weight).sum() / share.sum())
    return float(ndtr(-math.copysign(middle, estimate * middle) / tau))


def too_few_titles(titles: int, least: int) -> str:
    """Why there is no figure, for ``titles`` that differ and the ``least`` number of them."""
    if not titles:
        return (
            "No title has images that differ in this feature, so it cannot be compared within titles. Ask about a "
            "feature that varies within titles."
        )
    return f"Only {titles} titles have images that differ in this feature. At least {least} are needed. Add more data."
