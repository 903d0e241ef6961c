"""A page of images to answer at once: half of them likely of one class, half spread over the pool, mixed."""

from __future__ import annotations

import numpy as np

from attune.models.query.candidates import likely, spread
from attune.models.query.context import Situation
from attune.models.query.planner import pick_from_sources
from attune.models.vectors.pool import IntArray

LIKELY = 0.5  # of a page; fewer would leave nothing to tick, more would leave nothing to tell it from


def page(situation: Situation, n: int, position: int) -> IntArray:
    """Pool indices of ``n`` images for a page about the class at ``position``, in the order that they are shown.

    None that was asked or is hidden, none of an audit title, one a title and no near duplicates as long as the pool
    allows. The order is random, so that a place tells nothing.
    """
    halves = [(LIKELY, likely(situation, n, position)), (1 - LIKELY, spread(situation, n))]
    asks = pick_from_sources(situation, n, halves, apart=n)
    rows = np.array([ask.index for ask in asks], dtype=np.intp)
    return rows[situation.rng.permutation(len(rows))]
