"""One moment for everybody: what was liked before is known, what was liked after is to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.splits import unit_hash
from attune.models.recommend.history import History

Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
FEWEST = 3  # likes before the moment that a viewer must have
HIDDEN = 0.5  # of the test titles whose early likes are hidden, as if they came out later


@dataclass(frozen=True, eq=False)
class Case:
    """One viewer: what they had liked, oldest first, and what they liked afterwards."""

    user: int
    liked: Ints
    later: Ints


@dataclass(frozen=True, eq=False)
class Split:
    """``before`` the likes that may be learned from; ``warm`` and ``cold`` (t,) bool the titles in it and not in it."""

    before: History
    after: History
    warm: Mask
    cold: Mask
    moment: float

    def cases(self, titles: Mask) -> Iterator[Case]:
        """Viewers who later liked one of ``titles`` that they had not liked before."""
        known, later = self.before.by_user(), self.after.by_user()
        for user in sorted(known.keys() & later.keys()):
            new = later[user][titles[later[user]]]
            new = new[~np.isin(new, known[user])]
            if len(known[user]) >= FEWEST and len(new):
                yield Case(user, known[user], new)


def split(history: History, hideable: Mask, share: float = 0.8, seed: int = 0) -> Split:
    """Split at the time before which ``share`` of the likes lie: no one's future is seen through somebody else.

    ``hideable`` (t,) are titles of which ``HIDDEN`` lose their likes before the moment: new titles are few in most
    histories. Only titles that nothing else was learned from should be.
    """
    moment = float(np.quantile(history.at, share))
    drawn = unit_hash(list(history.titles), seed, "cold titles") < HIDDEN
    hidden = hideable & drawn
    before = history.where((history.at < moment) & ~hidden[history.title])
    warm = np.bincount(before.title, minlength=len(history.titles)) > 0
    return Split(before, history.where(history.at >= moment), warm, ~warm & hideable, moment)
