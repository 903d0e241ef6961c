"""Viewing histories that are made up, for machines without real ones: they test the code and prove nothing.

How much posters help is put into them (``LOOKS``), so a figure on them says nothing about real viewers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from attune.models.recommend.history import History

Floats = npt.NDArray[np.float32]
YEAR = 365 * 86400.0
POPULAR, GENRE, LOOKS = 1.0, 2.0, 8.0  # how much each counts for what a viewer picks


def simulate(vectors: Floats, genres: Floats, names: tuple[str, ...], users: int, seed: int) -> History:
    """Likes over one year of ``users`` viewers, of titles with ``vectors`` (t, d) and ``genres`` (t, k) multi-hot.

    A title comes out on a drawn day and cannot be liked before; a viewer likes two or three genres, looks like those
    of three drawn titles, and what is popular. No ratings: each row is a like.
    """
    rng = np.random.default_rng([seed, 67])
    count = len(names)
    popular = rng.pareto(1.2, count)
    released = np.where(rng.random(count) < 0.6, 0.0, rng.random(count) * YEAR)
    rows: list[tuple[int, int, float]] = []
    for user in range(users):
        genre = np.zeros(genres.shape[1], dtype=np.float32)
        genre[rng.choice(genres.shape[1], min(3, genres.shape[1]), replace=False)] = 1.0
        looks = (vectors @ vectors[rng.choice(count, 3, replace=False)].T).max(axis=1)
        wish = POPULAR * np.log1p(popular) + GENRE * (genres @ genre > 0) + LOOKS * np.minimum(looks, 0.6)
        likes = min(int(rng.integers(15, 60)), count // 2)
        days = np.sort(rng.random(likes)) * YEAR
        order = np.argsort(-(wish + rng.gumbel(size=count)), kind="stable")
        rows += [(user, title, day) for title, day in _out_by_then(order, released, days)]
    table = np.array(sorted(rows, key=lambda row: row[2]))
    user_names = tuple(f"u{number:05d}" for number in range(users))
    return History(table[:, 0].astype(np.intp), table[:, 1].astype(np.intp), table[:, 2], user_names, names)


def _out_by_then(
    order: npt.NDArray[np.intp], released: npt.NDArray[np.float64], days: npt.NDArray[np.float64]
) -> Iterator[tuple[int, float]]:
    """For each day the first title of ``order`` that is out and was not taken yet; none where none is."""
    waiting = order[: 20 * len(days)].tolist()
    for day in days.tolist():
        place = next((place for place, title in enumerate(waiting) if released[title] <= day), None)
        if place is not None:
            yield waiting.pop(place), day
