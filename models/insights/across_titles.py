"""What goes with what, across titles: for a feature that is the same for all images of a title. Grade D, never better.

Poisson regression with an effect of each canvas and none of the titles; errors clustered by title. Whatever makes a
title popular is in the figure, so it predicts and does not explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints, Outcomes, numbered
from attune.models.insights.within_title import EXACT, LEAST_TITLES, STEPS, Clustered, Effect

Pairs = Iterable[tuple[Outcomes, Floats]]


def across_titles(outcomes: Outcomes, x: npt.ArrayLike, least_titles: int = LEAST_TITLES) -> Effect:
    """How much more often images with a higher ``x`` (n,) are taken, on the same canvas, whatever their title.

    NaN in ``x`` leaves a row out. ``tau`` and ``share_other_way`` are 0: not asked here. Raises NotEnoughLabels for
    fewer than ``least_titles`` titles on either side of the middle, and where one side was never taken.
    """
    return effect_across([(outcomes, np.asarray(x, dtype=np.float64))], least_titles)


def effect_across(parts: Pairs, least_titles: int = LEAST_TITLES) -> Effect:
    """``across_titles`` of rows in ``parts`` of whole titles, each with its x (n,); they are read several times."""
    ends = _ends(_shown(parts))
    titles = 0 if ends is None else _fewest_titles(_shown(parts), (ends[0] + ends[1]) / 2)
    if titles < least_titles:
        raise NotEnoughLabels(
            f"Only {titles} titles are on one side of the comparison. At least {least_titles} are needed on each."
        )
    fitted = _Fit.of(parts)
    estimate = fitted.solve()
    told = fitted.by_title(estimate)
    sure = Clustered.of(estimate, told.score, told.information)
    return Effect(
        estimate=estimate, se=sure.se, ci=sure.ci, p=sure.p, degrees=sure.degrees, titles=len(told.score),
        assets=told.assets, impressions=int(told.impressions), takes=told.takes,
        tau=0.0, share_other_way=0.0, model_se=sure.model_se,
    )  # fmt: skip


def naive(outcomes: Outcomes, x: npt.ArrayLike) -> float | None:
    """The log ratio of all takes over all impressions where ``x`` (n,) is above its middle, to where it is below.

    What a spreadsheet says. It is here to be struck through. None where a side was never taken.
    """
    return naive_ratio([(outcomes, np.asarray(x, dtype=np.float64))])


def naive_ratio(parts: Pairs) -> float | None:
    """``naive`` of rows in ``parts``, each with its x (n,); they are read twice."""
    ends = _ends(parts)
    if ends is None:
        return None
    middle, taken, shown = (ends[0] + ends[1]) / 2, np.zeros(2), np.zeros(2)
    for rows, x in parts:
        for side, mine in enumerate((x > middle, x <= middle)):  # NaN is on neither
            taken[side] += rows.takes[mine].sum()
            shown[side] += rows.impressions[mine].sum()
    if not taken.all() or not shown.all():
        return None
    return float(np.log(taken[0] / shown[0]) - np.log(taken[1] / shown[1]))


@dataclass(frozen=True, eq=False)
class _Told:
    """Each title's ``score`` and ``information`` (t,), and what all of them have."""

    score: Floats
    information: Floats
    assets: int
    impressions: float
    takes: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """Rows in ``parts``, x counted from ``centre``, and of each stratum (s,) the sum of takes and of takes times x."""

    parts: Pairs
    centre: float
    taken: Floats
    taken_x: Floats

    @classmethod
    def of(cls, parts: Pairs) -> _Fit:
        shown, weighted = 0.0, 0.0
        for rows, x in _shown(parts):
            shown, weighted = shown + float(rows.impressions.sum()), weighted + float((rows.impressions * x).sum())
        centre = weighted / shown
        sums = _by_stratum((rows, (rows.takes, rows.takes * (x - centre))) for rows, x in _shown(parts))
        return cls(parts, centre, *sums)

    def _weighted(self, effect: float) -> Iterator[tuple[Outcomes, Floats, Floats]]:
        """The rows of each part with their x and their weight (n,) at ``effect``."""
        for rows, x in _shown(self.parts):
            yield rows, x - self.centre, rows.impressions * np.exp(effect * (x - self.centre))

    def by_stratum(self, effect: float) -> tuple[Floats, Floats, Floats]:
        """Each stratum's weight, and mean and mean square of x (s,) at ``effect``; 0 where it has no rows."""
        found = ((rows, (weight, weight * x, weight * x**2)) for rows, x, weight in self._weighted(effect))
        total, first, second = _by_stratum(found)
        some = np.where(total > 0, total, 1.0)
        return total, first / some, second / some

    def by_title(self, effect: float) -> _Told:
        """All that is told at ``effect``."""
        total, mean, _ = self.by_stratum(effect)
        scores, informations, shown, taken = list[Floats](), list[Floats](), 0.0, 0.0
        assets = list[Ints]()
        for rows, x, weight in self._weighted(effect):
            expected = self.taken[rows.canvas] * weight / total[rows.canvas]
            apart, title = x - mean[rows.canvas], numbered(rows.title)
            scores.append(_sums(title, (rows.takes - expected) * apart))
            informations.append(_sums(title, expected * apart**2))
            assets.append(np.unique(rows.asset))
            shown, taken = shown + float(rows.impressions.sum()), taken + float(rows.takes.sum())
        count = len(np.unique(np.concatenate(assets)))
        return _Told(np.concatenate(scores), np.concatenate(informations), count, shown, taken)

    def solve(self) -> float:
        """The effect."""
        rows, squares = 0, 0.0
        for part, x in _shown(self.parts):
            rows, squares = rows + len(part), squares + float(((x - self.centre) ** 2).sum())
        effect, largest = 0.0, 2.0 / max(float(np.sqrt(squares / rows)), 1e-12)
        for _ in range(STEPS):
            _, mean, square = self.by_stratum(effect)
            score = float((self.taken_x - self.taken * mean).sum())
            information = float((self.taken * np.maximum(square - mean**2, 0.0)).sum())
            if information <= 0:
                break
            step = max(-largest, min(largest, score / information))
            effect += step
            if abs(step) < EXACT * max(1.0, abs(effect)):
                return effect
        raise NotEnoughLabels(
            "One side of the comparison has no takes. Add more impressions, or compare other classes."
        )


def _shown(parts: Pairs) -> Iterator[tuple[Outcomes, Floats]]:
    """The rows that were shown and whose x is known."""
    for rows, x in parts:
        kept = np.isfinite(x) & (rows.impressions > 0)
        if kept.any():
            yield rows.where(kept), x[kept]


def _by_stratum(parts: Iterable[tuple[Outcomes, tuple[Floats, ...]]]) -> list[Floats]:
    """The sum of each column (n,) over the rows of each stratum (s,)."""
    sums: list[Floats] = []
    for rows, columns in parts:
        found = [_sums(rows.canvas, column) for column in columns]
        sums = found if not sums else [_added(*pair) for pair in zip(sums, found, strict=True)]
    return sums


def _sums(place: Ints, column: Floats) -> Floats:
    return np.bincount(place, column).astype(np.float64)


def _added(one: Floats, other: Floats) -> Floats:
    """The sum of two, which may have different lengths."""
    total = np.zeros(max(len(one), len(other)))
    total[: len(one)] += one
    total[: len(other)] += other
    return total


def _ends(parts: Pairs) -> tuple[float, float] | None:
    """The least and the largest x that is known; None without any."""
    known = (x[np.isfinite(x)] for _, x in parts)
    found = [(float(x.min()), float(x.max())) for x in known if len(x)]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _fewest_titles(parts: Pairs, middle: float) -> int:
    """Titles on the side of the ``middle`` that has fewer."""
    counts = [0, 0]
    for rows, x in parts:
        for side, mine in enumerate((x > middle, x <= middle)):
            counts[side] += len(np.unique(rows.title[mine]))
    return min(counts)
