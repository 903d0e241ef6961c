"""Recommendations from what others watched: popularity and item-kNN, the plain ways that posters are measured beside.

Neither knows anything about a title that nobody has watched yet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.recommend.history import History

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
SHRINK = 10.0  # likes in common that are not believed yet
HELD = 1 << 26  # bytes of rows that are kept for the next viewer


def popularity(history: History) -> Floats:
    """How many people liked each title, float32 (titles,)."""
    pairs = np.unique(np.column_stack([history.user, history.title]), axis=0)
    return np.bincount(pairs[:, 1], minlength=len(history.titles)).astype(np.float32)


class ItemNeighbours:
    """Titles that the same people liked (Sarwar et al. 2001), cosine over people, shrunk where few are shared.

    Two titles that fewer than ``fewest`` people liked both are not near at all.
    """

    def __init__(self, history: History, shrink: float = SHRINK, fewest: int = 1) -> None:
        pairs = np.unique(np.column_stack([history.user, history.title]), axis=0)
        self._count, self._shrink, self._fewest = len(history.titles), shrink, fewest
        self._by_user = np.split(pairs[:, 1], np.unique(pairs[:, 0], return_index=True)[1][1:])
        self._fans: dict[int, list[int]] = {}
        self._near: dict[int, Floats] = {}  # by liked title: many viewers like the same ones
        for place, titles in enumerate(self._by_user):
            for title in titles:
                self._fans.setdefault(int(title), []).append(place)
        self._popular = np.bincount(pairs[:, 1], minlength=self._count).astype(np.float32)

    def scores(self, liked: Ints) -> Floats:
        """How near each title is to those that were liked (m,), float32 (titles,); 0 for titles nobody watched."""
        total = np.zeros(self._count, dtype=np.float32)
        for title in liked.tolist():
            near = self._near.pop(title, None)
            self._near[title] = self._to_others(title) if near is None else near  # now the newest
            total += self._near[title]
            if len(self._near) * total.nbytes > HELD:
                del self._near[next(iter(self._near))]
        return total

    def _to_others(self, title: int) -> Floats:
        fans = self._fans.get(title, [])
        if not fans:
            return np.zeros(self._count, dtype=np.float32)
        together = np.bincount(np.concatenate([self._by_user[fan] for fan in fans]), minlength=self._count)
        together[together < self._fewest] = 0
        both = np.sqrt(np.maximum(self._popular * self._popular[title], 1))
        return np.asarray(together / both * (together / (together + self._shrink)), dtype=np.float32)
