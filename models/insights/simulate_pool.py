"""Made-up performance of images that exist: several properties with known effects, shown at random.

Unlike ``simulate``, the images and what they show are given; takes alone are made up. Whoever puts all titles in one
pot is fooled by a property that is ``tied`` to popularity: it may even look good where it does harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.insights.across_titles import naive
from attune.models.insights.outcomes import Floats, Ints, outcomes
from attune.models.insights.within_title import within_title

START, DAYS = datetime(2026, 1, 5), 28  # noqa: DTZ001 - performance rows have times in UTC without a zone
IMAGE_SPREAD = 0.08  # log rate: what makes an image good or bad beside its properties


@dataclass(frozen=True, eq=False)
class Property:
    """``has`` (images,) 1 or 0. ``effect``: its own log rate ratio, which differs between titles by ``spread``.
    ``tied``: log rate of a title whose share of such images is a standard deviation higher."""

    name: str
    has: Floats
    effect: float
    spread: float = 0.0
    tied: float = 0.0


@dataclass(frozen=True)
class Truth:
    """What a test without end would say of a property: ``effect`` within titles, with all that goes with it there, and
    ``pooled``, what all films mixed would say. Log rate ratios."""

    name: str
    effect: float
    pooled: float


def simulate_pool(
    asset_ids: npt.NDArray[np.str_], title_ids: npt.NDArray[np.str_], properties: Sequence[Property],
    canvases: Sequence[str] = ("home", "search"), impressions: int = 3000, rate: float = 0.05, seed: int = 0,
) -> tuple[dict[str, npt.NDArray[Any]], list[Truth]]:  # fmt: skip
    """Columns of performance rows, and the truth of each property. The same seed gives the same rows.

    ``impressions`` of an image on a canvas where its title is as popular as most; popular titles are shown more often.
    """
    rng = np.random.default_rng(seed)
    _, title = np.unique(title_ids, return_inverse=True)
    titles = int(title.max()) + 1
    popular, log_rate = rng.normal(0, 0.3, titles), np.log(rate) + rng.normal(0, IMAGE_SPREAD, len(title))
    for one in properties:
        share = np.bincount(title, one.has, titles) / np.bincount(title, minlength=titles)
        popular += one.tied * (share - share.mean()) / max(float(share.std()), 1e-9)
        log_rate += (one.effect + one.spread * rng.normal(size=titles))[title] * one.has
    chance = np.minimum(np.exp(log_rate + popular[title]), 0.9)
    parts = [_canvas(asset_ids, title_ids, title, popular, chance, impressions, rng, one) for one in canvases]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return rows, [_truth(one, title, popular, chance) for one in properties]


def _canvas(
    asset_ids: npt.NDArray[np.str_], title_ids: npt.NDArray[np.str_], title: Ints, popular: Floats, chance: Floats,
    impressions: int, rng: np.random.Generator, canvas: str,
) -> dict[str, npt.NDArray[Any]]:  # fmt: skip
    """The rows of one canvas: each showing of a title draws one of its images evenly."""
    images = np.bincount(title)
    mean = impressions * np.exp(popular)  # an image's
    shown = np.zeros(len(title), dtype=np.int64)
    for number in np.unique(title):
        here = np.flatnonzero(title == number)
        shown[here] = rng.multinomial(int(mean[number] * images[number]), np.full(len(here), 1 / len(here)))
    count = len(title)
    return {
        "asset_id": asset_ids, "title_id": title_ids, "canvas": np.full(count, canvas),
        "arm": np.full(count, "explore"),
        "period_start": np.full(count, np.datetime64(START, "s")),
        "period_end": np.full(count, np.datetime64(START + timedelta(days=DAYS), "s")),
        "impressions": shown, "takes": rng.binomial(shown, chance).astype(np.float64),
    }  # fmt: skip


def _truth(one: Property, title: Ints, popular: Floats, chance: Floats) -> Truth:
    """What the two analyses say of expected takes, so without chance."""
    shown = 1e6 * np.exp(popular)[title]
    place = np.arange(len(title))
    expected = outcomes(place, title, np.zeros(len(title)), shown, shown * chance)
    x = one.has[expected.asset]
    return Truth(one.name, within_title(expected, x, least_titles=1).estimate, naive(expected, x) or 0.0)
