"""Made-up members with known groups: what tests and the benchmark measure groups and forecasts against.

Each group has tastes in metadata and in how artwork looks. Who is in which group is known, and so are the shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from attune.models.insights.outcomes import Floats, Ints


@dataclass(frozen=True)
class World:
    """``by_genre`` and ``by_look``: how strong tastes are, as standard deviations of log odds. ``seen`` titles a
    member; ``appetite``: spread of how much members take or watch."""

    members: int = 4000
    titles: int = 300
    groups: int = 4
    images: int = 4
    genres: int = 6
    look: int = 16
    seen: float = 30.0
    by_genre: float = 0.8
    by_look: float = 0.5
    by_title: float = 0.3
    appetite: float = 0.5
    response: float = 0.8
    rate: float = 0.15


@dataclass(frozen=True, eq=False)
class Simulated:
    """``group`` (m,), ``views`` (m, t) of 0 and 1, ``genre`` (t,), ``poster`` (t, d), ``shares`` (t, g) of the truth.

    ``impressions`` and ``takes`` (m, a) of images shown at random, ``title`` (a,) of each; ``liking`` (g, a) log rate
    ratios within the title.
    """

    group: Ints
    views: csr_array
    genre: Ints
    poster: Floats
    shares: Floats
    impressions: csr_array
    takes: csr_array
    title: Ints
    liking: Floats


def simulate(world: World | None = None, seed: int = 0) -> Simulated:
    """Members, titles and images. The same seed gives the same ones."""
    world = world or World()
    rng = np.random.default_rng(seed)
    size = rng.dirichlet(np.full(world.groups, 8.0))
    group = rng.choice(world.groups, world.members, p=size)
    genre = rng.integers(world.genres, size=world.titles)
    poster = rng.normal(size=(world.titles, world.look)) / np.sqrt(world.look)
    taste = world.by_genre * rng.normal(size=(world.groups, world.genres))[:, genre]
    taste += world.by_look * rng.normal(size=(world.groups, world.look)) @ poster.T
    taste += world.by_title * rng.normal(size=taste.shape)
    popular = rng.normal(0, 1, world.titles)
    chance = np.exp(taste + popular)
    chance /= chance.sum(axis=1, keepdims=True)
    appetite = np.exp(world.appetite * rng.normal(size=world.members))
    expected = np.minimum(world.seen * appetite[:, None] * chance[group], 0.9)
    views = csr_array((rng.random(expected.shape) < expected).astype(np.float64))
    mass = chance * size[:, None]
    return Simulated(group, views, genre, poster, (mass / mass.sum(axis=0)).T, *_responses(world, group, appetite, rng))


def _responses(
    world: World, group: Ints, appetite: Floats, rng: np.random.Generator
) -> tuple[csr_array, csr_array, Ints, Floats]:
    """Each member sees half of the titles, with one image each, drawn at random."""
    title = np.repeat(np.arange(world.titles), world.images)
    liking = world.response * rng.normal(size=(world.groups, world.titles, world.images))
    liking -= np.log(np.exp(liking).mean(axis=2, keepdims=True))
    liking = liking.reshape(world.groups, -1)
    who, which = np.nonzero(rng.random((world.members, world.titles)) < 0.5)
    asset = which * world.images + rng.integers(world.images, size=len(who))
    draw = np.exp(0.5 * rng.normal(size=world.titles))[which]
    rate = np.minimum(world.rate * draw * appetite[who] * np.exp(liking[group[who], asset]), 0.9)
    shape = world.members, len(title)
    taken = (rng.random(len(who)) < rate).astype(np.float64)
    return csr_array((np.ones(len(who)), (who, asset)), shape), csr_array((taken, (who, asset)), shape), title, liking
