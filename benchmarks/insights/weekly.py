"""A question that is answered every week as performance comes: how often does nothing look sure at some look?

``members``: made-up titles whose own effects differ, all shown every week, some of them new in each. ``tests``: the
real randomised tests in the order of their time, a twelfth of them each week.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from attune.models.errors import NotEnoughLabels
from attune.models.evaluation.intervals import share_interval
from attune.models.insights.any_time import Look, any_time_ci, any_time_p
from attune.models.insights.outcomes import Outcomes, outcomes
from attune.models.insights.within_title import LEVEL, Effect, within_title
from benchmarks.insights.arms import Arms, Floats, attribute

WEEKS, Q = 12, 0.1
TITLES, NEW, IMAGES = 120, 10, 4  # titles in the first week, more in each later one
SHOWN, RATE = 2000, 0.03  # a week's impressions of an image
TAU = 0.15  # of the titles' own effects
EFFECT = 0.04  # of made-up titles, to see what the looks cost
Seen = tuple[Outcomes, Floats]  # of all weeks so far


def weekly(arms: Arms, draws: int, seed: int) -> list[dict[str, Any]]:
    """A row for each world, effect and rule: the share that is sure at some look, at the first, and the width."""
    worlds: list[tuple[str, float, Callable[[np.random.Generator], Iterator[Seen]]]] = [
        ("members", 0.0, lambda rng: members(0.0, rng)), ("members", EFFECT, lambda rng: members(EFFECT, rng)),
        ("tests", 0.0, lambda rng: tests(arms, rng)),
    ]  # fmt: skip
    rows = []
    for world, effect, looks in worlds:
        found = [[_effect(*look) for look in looks(np.random.default_rng([seed, draw]))] for draw in range(draws)]
        rows += [{"world": world, "effect": effect, "rule": name} | _row(found, rule) for name, rule in RULES.items()]
    return rows


def members(effect: float, rng: np.random.Generator) -> Iterator[Seen]:
    """Titles that are shown every week, with more in each: the sums of all weeks so far."""
    titles = TITLES + NEW * (WEEKS - 1)
    has = (rng.random((titles, IMAGES)) < 0.4) * 1.0
    own = effect - TAU**2 / 2 + TAU * rng.normal(size=(titles, 1))  # so that the mean rate ratio is exp(effect)
    rate = RATE * np.exp(0.5 * rng.normal(size=(titles, 1)) + own * has + 0.05 * rng.normal(size=has.shape))
    shown, taken = np.zeros(has.shape), np.zeros(has.shape)
    asset = np.arange(has.size)
    for week in range(WEEKS):
        here = np.arange(titles)[:, None] < TITLES + NEW * week
        shown += SHOWN * here
        taken += rng.binomial(SHOWN, np.minimum(rate, 0.9)) * here
        yield outcomes(asset, asset // IMAGES, asset * 0, shown.reshape(-1), taken.reshape(-1)), has.reshape(-1)


def tests(arms: Arms, rng: np.random.Generator) -> Iterator[Seen]:
    """The real tests, oldest first, with an attribute that does nothing and that popular ones have more often."""
    x, rows = attribute(arms, 0.4, True, rng), arms.outcomes
    for week in range(WEEKS):  # names begin with the time, so titles are in its order
        kept = rows.title < len(arms.names) * (week + 1) / WEEKS
        yield rows.where(kept), x[kept]


def _effect(rows: Outcomes, x: Floats) -> Effect | None:
    try:
        return within_title(rows, x)
    except NotEnoughLabels:
        return None


Rule = Callable[[list[Effect]], tuple[float, tuple[float, float]]]  # of the looks so far: p and the interval


def _once(looks: list[Effect]) -> tuple[float, tuple[float, float]]:
    return looks[-1].p, looks[-1].ci


def _spent(looks: list[Effect]) -> tuple[float, tuple[float, float]]:
    return min(1.0, looks[-1].p * len(looks) * (len(looks) + 1)), (0.0, float("nan"))


def _any_time(looks: list[Effect]) -> tuple[float, tuple[float, float]]:
    then, now = (Look(one.estimate, one.se, one.p, one.degrees) for one in (looks[0], looks[-1]))
    first = then if len(looks) > 1 else None
    return any_time_p(now, first), any_time_ci(now, first, LEVEL)


RULES: dict[str, Rule] = {
    "as if looked at once": _once, "divided over looks, 1 / k (k + 1)": _spent, "attune": _any_time
}  # fmt: skip


def _row(found: list[list[Effect | None]], rule: Rule) -> dict[str, Any]:
    told, widths = [], []
    for every in found:
        looks = [one for one in every if one is not None]
        here = [rule(looks[: number + 1]) for number in range(len(looks))]
        told.append([p <= Q for p, _ in here])
        widths.append([ci[1] - ci[0] for _, ci in (here[0], here[-1])])
    some = sum(any(one) for one in told)
    lo, hi = share_interval(some, len(told))
    first, last = np.mean(widths, axis=0)
    return {
        "draws": len(told), "looks": WEEKS, "sure_at_some_look": some / len(told), "lo": lo, "hi": hi,
        "sure_at_first": float(np.mean([one[0] for one in told])),
        "sure_at_last": float(np.mean([one[-1] for one in told])),
        "width_first": float(first), "width_last": float(last),
    }  # fmt: skip
