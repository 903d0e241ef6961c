"""Viewing histories: who liked which title, and when, as arrays of numbers.

`history_rows` reads them from files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class History:
    """Likes, one a row, oldest first: ``user`` (m,) and ``title`` (m,) are numbers, ``at`` (m,) the time in seconds.

    ``users`` and ``titles`` are their names; ``left_out`` counts rows whose title nobody knows, or that are no like.
    """

    user: Ints
    title: Ints
    at: npt.NDArray[np.float64]
    users: tuple[str, ...]
    titles: tuple[str, ...]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.user)

    def where(self, kept: npt.NDArray[np.bool_]) -> History:
        """The likes that ``kept`` (m,) bool lets through, with the same numbers of users and titles."""
        return History(self.user[kept], self.title[kept], self.at[kept], self.users, self.titles, self.left_out)

    def liked_by(self, fewest: int) -> History:
        """The likes of titles that at least ``fewest`` users liked, with the same numbers of users and titles."""
        pairs = np.unique(np.column_stack([self.user, self.title]), axis=0)
        fans = np.bincount(pairs[:, 1], minlength=len(self.titles))
        return self.where(fans[self.title] >= fewest)

    def by_user(self) -> dict[int, Ints]:
        """Titles that each user liked, in the order of time, each once."""
        order = np.argsort(self.user, kind="stable")
        found, starts = np.unique(self.user[order], return_index=True)
        lists = np.split(self.title[order], starts[1:])
        return {int(user): _each_once(one) for user, one in zip(found, lists, strict=True)}


def _each_once(titles: Ints) -> Ints:
    _, first = np.unique(titles, return_index=True)
    return titles[np.sort(first)]
