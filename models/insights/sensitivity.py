"""How strong something unmeasured must be to explain an effect away. For grade C; no replacement for random images."""

from __future__ import annotations

import math


def e_value(estimate: float, ci: tuple[float, float]) -> tuple[float, float]:
    """E-values of a log rate ratio and of its interval's end nearest to 0 (VanderWeele and Ding 2017).

    The least rate ratio that an unmeasured cause must have with both the property and the takes. 1.0: the interval
    holds 0, so nothing is needed.
    """
    near = min(ci, key=abs) if ci[0] * ci[1] > 0 else 0.0
    return _e_value(estimate), _e_value(near)


def _e_value(log_ratio: float) -> float:
    ratio = math.exp(min(abs(log_ratio), 50.0))
    return ratio + math.sqrt(ratio * (ratio - 1))


def robustness_value(estimate: float, se: float, degrees: float) -> float:
    """The share of both variations, of property and takes, that an unmeasured cause must explain to bring the effect
    to 0; from 0 to 1 (Cinelli and Hazlett 2020)."""
    if se <= 0 or degrees <= 0:
        return 0.0
    f2 = (estimate / se) ** 2 / degrees
    return 0.5 * (math.sqrt(f2**2 + 4 * f2) - f2)
