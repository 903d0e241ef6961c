"""Figures that stay right however often somebody looks: what is run weekly must not be sure by patience alone.

The chance of a false finding is shared by halves. One half is for the first look, so it costs a test that is answered
once little. The other half is for all later looks together, however many: a mixture sequential probability ratio test
(Robbins 1970; Johari, Koomen, Pekelis and Walsh 2022), whose effects have mean 0 and standard deviation
``USUAL_TAU``. It needs estimates whose errors shrink as data come, and neither their number nor their dates, so only
the first look is kept. For errors clustered by title it holds in large samples (Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas 2024). What was sure at the first look stays so while the newest figure, looked at alone, agrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtrit

from attune.models.insights.shrinkage import USUAL_TAU

FIRST = 0.5  # of the chance of a false finding


@dataclass(frozen=True)
class Look:
    """An ``estimate`` with its error, its usual ``p`` value and its degrees of freedom."""

    estimate: float
    se: float
    p: float
    degrees: float


def any_time_p(now: Look, first: Look | None) -> float:
    """The p value to decide by; ``first`` is the first look, None where this is it. Both must be figures of the same
    kind: of a first look at something else, `later_p` is the p value."""
    if first is None:
        return min(1.0, now.p / FIRST)
    agrees = now.estimate * first.estimate > 0
    return min(1.0, later_p(now), max(first.p, now.p) / FIRST if agrees else 1.0)


def later_p(now: Look) -> float:
    """The p value of a look after the first, of all such looks together."""
    if now.se <= 0:
        return now.p  # no error, so nothing to weigh: an effect of exactly 0 has p 1
    if now.p <= 0:
        return 0.0
    share = USUAL_TAU**2 / (USUAL_TAU**2 + now.se**2)
    log_ratio = 0.5 * (math.log1p(-share) + share * float(ndtri(now.p / 2)) ** 2)
    return math.exp(min(0.0, -log_ratio - math.log(1 - FIRST)))


def any_time_ci(now: Look, first: Look | None, level: float) -> tuple[float, float]:
    """The interval that holds the truth at all looks together with probability ``level``: what `any_time_p` does not
    reject."""
    if first is None:
        return _interval(now, first_critical(1 - level))
    low, high = later_ci(now, level)
    both = [_interval(one, first_critical(1 - level)) for one in (now, first)]
    return max(low, min(one[0] for one in both)), min(high, max(one[1] for one in both))


def later_ci(now: Look, level: float) -> tuple[float, float]:
    """The interval of a look after the first, by itself: what `later_p` does not reject."""
    return _interval(now, later_critical(now.se, 1 - level))


def first_critical(alpha: float) -> float:
    """How many errors the first estimate must be away from 0: 2.24 for ``alpha`` .05, and not 1.96."""
    return -float(ndtri(alpha * FIRST / 2))


def later_critical(se: float, alpha: float) -> float:
    """How many errors a later estimate must be away from 0."""
    ratio = USUAL_TAU**2 / se**2 if se > 0 else math.inf
    return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) - 2 * math.log(alpha * (1 - FIRST)))) if se > 0 else 0.0


def _interval(one: Look, critical: float) -> tuple[float, float]:
    half = -one.se * float(stdtrit(one.degrees, ndtr(-critical)))
    return one.estimate - half, one.estimate + half
