"""The arms of a random test that would confirm an insight: two images of each title, one of either side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.insights import evidence, features, powering
from attune.labeler.insights.features import PER_SD, pair
from attune.labeler.insights.insights import Told
from attune.labeler.insights.words import caption, sides_of
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.power import POWER, reached

COLUMNS = ("title_id", "asset_id", "side", "arm", "propensity", "impressions", "canvas")
EXPLORE, EVEN = "explore", 0.5


@dataclass(frozen=True)
class Arm:
    """Two images of ``title_id``, shown equally often: ``first`` and ``second`` are asset ids of either side."""

    title_id: str
    first: str
    second: str


@dataclass(frozen=True)
class RandomTest:
    """A planned test. ``impressions`` of each image; ``one_sided`` titles have images of one side alone.

    ``short``: how many more titles it needs; with fewer, no number of impressions is enough. ``power``: how many of
    such tests find the effect with the titles that are there. ``extremes``: its images are those that differ most.
    """

    plan: powering.Plan
    arms: Sequence[Arm]
    sides: tuple[str, str]
    canvas: str
    impressions: int
    one_sided: int
    short: int
    power: float
    extremes: bool = False

    @property
    def found_by(self) -> str:
        """How many of such tests find the effect if it is true, in words."""
        return f"{'only ' if self.short else ''}about {100 * self.power:.0f} of 100"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each image, with the columns ``COLUMNS``: what the test's program needs."""
        return [
            {"title_id": one.title_id, "asset_id": asset, "side": side, "arm": EXPLORE, "propensity": EVEN,
             "impressions": self.impressions, "canvas": self.canvas}
            for one in self.arms for asset, side in zip((one.first, one.second), self.sides, strict=True)
        ]  # fmt: skip


def plan_test(settings: Settings, one: Told, titles: int | None = None, power: float = POWER) -> RandomTest:
    """Plan a test of ``one`` on at most ``titles``, drawn by chance with the insight's number as the seed.

    Raises DataError where there is no figure, its feature is gone, or no title has an image of either side.
    """
    first, second = sides_of(one.question.feature, one.question.contrast)
    rng = np.random.default_rng(one.row.id)
    arms, one_sided = _pairs(settings, one, rng)
    if not arms:
        raise DataError(_no_arms(settings, one, first, second))
    room = min(titles or len(arms), len(arms))
    plan = powering.plan(one, max(room, 2), power)
    kept = sorted(rng.permutation(len(arms))[:room].tolist())
    each = plan.needed.each
    real = reached(plan.effect, plan.rate, plan.tau, room, 2 * each * room)
    return RandomTest(
        plan, [arms[at] for at in kept], (caption(first), caption(second)), one.question.canvas, each, one_sided,
        max(plan.needed.titles - room, 0), real, one.question.contrast == PER_SD,
    )  # fmt: skip


def _no_arms(settings: Settings, one: Told, first: str, second: str) -> str:
    feature = features.known(settings)[one.question.feature]
    if feature.guessed:
        return (
            f"Of no title have people seen an image {first} and an image {second}, and {feature.name} is only guessed "
            f"of the others, so insight {one.row.id} cannot be tested yet. Ask about more images: "
            f"`attune features audit {feature.name}`"
        )
    return (
        f"No title has an image {first} and an image {second}, so insight {one.row.id} cannot be tested yet. Make "
        "the missing artwork and add it: `attune assets add PATH`"
    )


def _pairs(settings: Settings, one: Told, rng: np.random.Generator) -> tuple[list[Arm], int]:
    """A pair of each title that has both sides, and how many titles have one side alone; of a guess none are counted,
    since nobody has seen all of a title's images."""
    feature = features.known(settings).get(one.question.feature)
    if feature is None:
        raise DataError(f"The feature {one.question.feature} is not there any more, so no test can be planned.")
    asset_ids, title_ids = _assets(settings)
    values = features.single(settings, feature, np.array(asset_ids, dtype=object))
    of_titles: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for asset, title, value in zip(asset_ids, title_ids, values, strict=True):
        of_titles[title].append((asset, value))
    two = pair(feature, one.question.contrast)
    found = [_pair(title, images, two, rng) for title, images in sorted(of_titles.items())]
    arms = [arm for arm in found if isinstance(arm, Arm)]
    return arms, 0 if feature.guessed else sum(arm is False for arm in found)


def _pair(
    title: str, images: Sequence[tuple[str, Any]], two: tuple[str, str] | None, rng: np.random.Generator
) -> Arm | bool:
    """An image of either side, drawn by chance; of numbers the two that differ most. False where one side alone is
    there, True where the title has no known value."""
    if two is None:
        known = sorted((float(value), asset) for asset, value in images if value != "" and np.isfinite(float(value)))
        if not known:
            return True
        return Arm(title, known[-1][1], known[0][1]) if known[-1][0] > known[0][0] else False
    sides = [[asset for asset, value in images if value == name] for name in two]
    if not any(sides):
        return True
    return Arm(title, *(str(rng.choice(side)) for side in sides)) if all(sides) else False


def _assets(settings: Settings) -> tuple[list[str], list[str]]:
    """All images of the pool with their titles; where there are none, those of the performance."""
    with reading(settings) as session:
        rows = session.execute(select(Asset.asset_id, Asset.title_id).where(Asset.removed_at.is_(None))).all()
    if rows:
        return [row.asset_id for row in rows], [row.title_id for row in rows]
    told = evidence.load(settings)
    if told is None:
        return [], []
    pairs: dict[int, int] = {}
    for part in told.every.parts():
        pairs |= zip(part.asset.tolist(), part.title.tolist(), strict=True)
    return [str(told.asset_ids[asset]) for asset in pairs], [str(told.title_ids[title]) for title in pairs.values()]
