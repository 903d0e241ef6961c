"""Figures that stay right however often somebody looks: what is run weekly must not be sure by patience alone.

The chance of a false finding is shared by halves. One half is for the first look, so it costs a test that is answered
once little. The other half is for all later looks together, however many: a mixture sequential probability ratio test
(Robbins 1970; Johari, Koomen, Pekelis and Walsh 2022), whose effects have mean 0 and standard deviation
``USUAL_TAU``. It needs estimates whose errors shrink as data come, and not their number or their dates, so nothing of
the looks in between is kept. For errors clustered by title it holds in large samples (Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas 2024).
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri, stdtrit

from attune.models.insights.shrinkage import USUAL_TAU

FIRST = 0.5  # of the chance of a false finding


def any_time_p(p: float, se: float, first: bool) -> float:
    """The p value to decide by, of an estimate with error ``se`` and the usual p value ``p``, at the ``first`` look or
    a later one."""
    if first or se <= 0:
        return min(1.0, p / FIRST)
    share = USUAL_TAU**2 / (USUAL_TAU**2 + se**2)
    log_ratio = 0.5 * (math.log1p(-share) + share * float(ndtri(p / 2)) ** 2) if p > 0 else math.inf
    return min(1.0, math.exp(-log_ratio) / (1 - FIRST))


def any_time_half_width(se: float, degrees: float, level: float, first: bool) -> float:
    """Half the interval that holds the truth at all looks together with probability ``level``."""
    return -se * float(stdtrit(degrees, ndtr(-critical(se, 1 - level, first))))


def critical(se: float, alpha: float, first: bool) -> float:
    """How many errors an estimate must be away from 0; 1.96 where it is looked at once, with ``alpha`` 0.05."""
    if first or se <= 0:
        return -float(ndtri(alpha * FIRST / 2))
    ratio = USUAL_TAU**2 / se**2
    return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) - 2 * math.log(alpha * (1 - FIRST))))
