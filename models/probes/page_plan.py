"""The images of the next pages, from the same plan as single images, and which of both ways teaches more now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt

from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, PoolOptions, plan
from attune.models.probes.probe import Probe
from attune.models.query.page_value import MORE, Floats, Seconds, ValuedPage, best_page, single_worth
from attune.models.vectors.pool import IntArray, Pool


@dataclass(frozen=True, eq=False)
class Candidates:
    """Images that could be asked next, best first: pool ``rows`` (m,), utilities ``value`` (m,), and the probabilities
    ``p`` (m, c) of each class."""

    rows: IntArray
    value: Floats
    p: Floats

    def without(self, places: npt.NDArray[np.intp]) -> Candidates:
        """The others."""
        keep = np.delete(np.arange(len(self.rows)), places)
        return Candidates(self.rows[keep], self.value[keep], self.p[keep])

    def page(self, position: int, size: int, seconds: Seconds) -> ValuedPage:
        """The best page of ``size`` images on which a tick means the class at ``position``.

        For two classes of the first candidates only: further down the list images are cheap to judge and teach little.
        """
        two = self.p.shape[1] == 2
        first = MORE * size if two else len(self.rows)
        return best_page(self.value[:first], self.p[:first, position], size, seconds, no_tick_answers=two)


def candidates(
    pool: Pool,
    probe: Probe,
    labels: Labels,
    asked: npt.ArrayLike,
    n: int,
    settings: LearnerSettings,
    seed: int,
    **also: Unpack[PoolOptions],
) -> Candidates:
    """``n`` candidates, fewer where the pool has no more; arguments as in ``learner.plan``. Never an audit."""
    asks = plan(pool, probe, labels, asked, n, settings, seed, **also)
    rows = np.array([ask.index for ask in asks], dtype=np.intp)
    value = np.array([ask.utility for ask in asks], dtype=np.float64)
    p = probe.predict_proba(pool.rows(rows)) if len(rows) else np.empty((0, len(probe.classes_)))
    return Candidates(rows, value, np.asarray(p, dtype=np.float64))


def pages(
    found: Candidates, positions: Sequence[int], size: int, screen: int, seconds: Seconds, rng: np.random.Generator
) -> list[tuple[int, IntArray]]:
    """(class position, pool rows (``size``,)) of pages about the classes at ``positions``; no image twice.

    Pages that are shown together, up to ``screen`` images, are chosen together. The order on a page is random, so that
    a place tells nothing. The last pages have fewer images, or none, where the candidates end.
    """
    made = []
    for position, count in Counter(positions).items():
        left = size * count
        while left > 0 and len(found.rows):
            together = found.page(position, min(screen, left), seconds).places
            rows = found.rows[together[rng.permutation(len(together))]]
            made += [(position, rows[start : start + size]) for start in range(0, len(rows), size)]
            found, left = found.without(together), left - screen
    return made


@dataclass(frozen=True, eq=False)
class Choice:
    """The best ``page`` of now, on which a tick means the class at ``position``, and what single images teach a second
    (``single``)."""

    position: int
    page: ValuedPage
    single: float

    @property
    def is_page(self) -> bool:
        """Whether a page teaches at least as much a second."""
        return self.page.worth >= self.single


def choose(
    found: Candidates, positions: Sequence[int], size: int, seconds: Seconds, waiting: npt.ArrayLike = ()
) -> Choice:
    """Weigh a page of ``size`` images, about one of the classes at ``positions``, against single images.

    ``waiting``: pool rows that wait in queues already, so that no page may have them.
    """
    free = found.without(np.flatnonzero(np.isin(found.rows, waiting)))
    tried = [(position, free.page(position, size, seconds)) for position in positions]
    position, page = max(tried, key=lambda one: one[1].worth)
    return Choice(position, page, single_worth(found.value, seconds))
