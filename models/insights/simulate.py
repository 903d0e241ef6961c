"""A made-up service with known truth: what tests, documents and the demo measure insights against.

Popular titles have the property more often (confounding). A bandit serves what was taken before, to each group of
members by itself (Thompson 1933; Chapelle and Li 2011), and logs its propensities; a share of impressions is shown at
random. A probe says the property with errors, which may follow performance. Titles do not compete for members: what
one image does changes no other image's takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from attune.models.errors import DataError
from attune.models.insights.outcomes import Floats

DRAWS = 40  # of Thompson's rule, for an image's propensity
FLOOR = 0.01  # the least propensity of an image, so a log of them can be weighed
PRIOR = (1.0, 19.0)  # takes and others before the first day
START = datetime(2026, 1, 5)  # noqa: DTZ001 - performance rows have times in UTC without a zone


@dataclass(frozen=True)
class World:
    """``groups``: members' share, activity, and log rate ratio of images with the property. ``impressions`` of a title,
    canvas and period. ``confounding``: log odds of the property for a standard deviation of popularity. ``apart``: d'
    of the probe; ``follows``: how far its scores follow performance."""

    titles: int = 400
    images: int = 5
    canvases: tuple[str, ...] = ("home",)
    groups: tuple[tuple[float, float, float], ...] = ((0.75, 1.0, 0.3), (0.25, 0.6, -0.5))
    periods: int = 20
    impressions: int = 1000
    rate: float = 0.05
    prevalence: float = 0.3
    popularity: float = 0.5
    image_spread: float = 0.1
    confounding: float = 1.0
    explore: float = 0.1
    bandit: bool = True
    contextual: bool = True
    apart: float = 1.8
    follows: float = 0.0


@dataclass(frozen=True, eq=False)
class Simulated:
    """``rows``: columns of performance rows, by name, of one length. ``asset_ids`` (a,) with the truth ``has`` (a,) and
    the probe's ``probability`` (a,). ``effect``: the log rate ratio over all members, as random images would show it;
    ``effects`` of each group. ``placebo`` (a,) does nothing, and popular titles have it as often as the property."""

    rows: dict[str, npt.NDArray[Any]]
    asset_ids: npt.NDArray[np.str_]
    title_ids: npt.NDArray[np.str_]
    has: Floats
    probability: Floats
    effect: float
    effects: tuple[float, ...]
    placebo: Floats


def simulate(world: World | None = None, seed: int = 0) -> Simulated:
    """Rows as ``attune performance add`` takes them, and the truth behind them. The same seed gives the same rows.

    Raises DataError for a world without titles, without two images a title, or without members.
    """
    world = world or World()
    share, activity, effects = (np.array(column) for column in zip(*world.groups, strict=True))
    if world.titles < 1 or world.images < 2 or not 0 < world.explore <= 1 or share.sum() <= 0:
        raise DataError(
            f"A simulation has {world.titles} titles with {world.images} images, and a share of {world.explore} of its "
            "impressions is random. Give 1 title or more, 2 images or more, and a share above 0 and at most 1."
        )
    rng = np.random.default_rng(seed)
    popular = rng.normal(size=(world.titles, 1))
    often = expit(logit(world.prevalence) + world.confounding * popular)
    has = (rng.random((world.titles, world.images)) < often) * 1.0
    own = world.image_spread * rng.normal(size=has.shape)
    base = np.log(world.rate) + world.popularity * popular + own
    rate = np.exp(base[:, :, None] + has[:, :, None] * effects) * activity  # (titles, images, groups)
    parts = [_canvas(world, np.minimum(rate, 0.9), share / share.sum(), canvas, rng) for canvas in world.canvases]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    title = np.repeat(np.arange(world.titles), world.images)
    score = world.apart * (has - 0.5) + world.follows * own / max(world.image_spread, 1e-9) + rng.normal(size=has.shape)
    taken = share * activity
    placebo = (rng.random(has.shape) < often) * 1.0  # drawn last, so that older figures keep their draws
    return Simulated(
        rows=rows, asset_ids=named("asset", np.arange(has.size)), title_ids=named("title", title),
        has=has.reshape(-1), probability=expit(world.apart * score.reshape(-1) + logit(world.prevalence)),
        effect=float(np.log((taken * np.exp(effects)).sum() / taken.sum())), effects=tuple(effects.tolist()),
        placebo=placebo.reshape(-1),
    )  # fmt: skip


def _canvas(
    world: World, rate: Floats, share: Floats, canvas: str, rng: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    """All rows of one canvas: in each period the bandit serves by what it has seen, and some images are random."""
    seen, taken = np.zeros(rate.shape), np.zeros(rate.shape)
    even = np.full(rate.shape, 1 / world.images)
    parts = []
    for period in range(world.periods):
        chance = _thompson(world, seen, taken, rng) if world.bandit else even
        for arm, part, chosen in (("explore", world.explore, even), ("serve", 1 - world.explore, chance)):
            members = np.round(world.impressions * part * share).astype(np.int64)
            shown = rng.multinomial(np.broadcast_to(members, (world.titles, len(share))), np.moveaxis(chosen, 1, 2))
            shown = np.moveaxis(shown, 2, 1)
            takes = rng.binomial(shown, rate)
            seen, taken = seen + shown, taken + takes
            parts.append(_rows(shown, takes, chosen, arm, period))
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return rows | {"canvas": np.full(len(rows["asset_id"]), canvas)}


def _thompson(world: World, seen: Floats, taken: Floats, rng: np.random.Generator) -> Floats:
    """The chance (titles, images, groups) that an image looks best, in draws of what its rate may be."""
    if not world.contextual:
        seen, taken = (np.broadcast_to(one.sum(axis=2, keepdims=True), one.shape) for one in (seen, taken))
    wins = np.zeros(seen.shape)
    for _ in range(DRAWS):
        drawn = rng.beta(PRIOR[0] + taken, PRIOR[1] + seen - taken)
        wins += drawn == drawn.max(axis=1, keepdims=True)
    chance = wins / wins.sum(axis=1, keepdims=True)
    return np.asarray(FLOOR + (1 - FLOOR * seen.shape[1]) * chance, dtype=np.float64)


def _rows(
    shown: npt.NDArray[np.int64], takes: npt.NDArray[np.int64], chance: Floats, arm: str, period: int
) -> dict[str, npt.NDArray[Any]]:
    title, image, group = np.nonzero(shown)
    begun = START + timedelta(days=period)
    count = len(title)
    return {
        "asset_id": named("asset", title * shown.shape[1] + image),
        "title_id": named("title", title),
        "member_cluster": named("group", group),
        "arm": np.full(count, arm),
        "propensity": chance[title, image, group],
        "period_start": np.full(count, np.datetime64(begun, "s")),
        "period_end": np.full(count, np.datetime64(begun + timedelta(days=1), "s")),
        "impressions": shown[title, image, group],
        "takes": takes[title, image, group].astype(np.float64),
    }


def named(kind: str, numbers: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """What made-up things of a ``kind`` are called: (n,) names of (n,) ``numbers``."""
    return np.array([f"{kind}-{number}" for number in numbers.tolist()], dtype=np.str_)
