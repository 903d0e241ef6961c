"""Query strategies in modAL's protocol, ours and, by name, those of modAL and scikit-activeml."""

from __future__ import annotations

from attune.models.errors import SettingsError
from attune.models.query.strategies.base import Picked, Strategy, best, check_candidates, generator
from attune.models.query.strategies.plugged import plugged
from attune.models.query.strategies.simple import entropy, likely, margin, random
from attune.models.query.strategies.spread import farthest, typical
from attune.models.query.strategies.variance import variance_reduction

OURS: dict[str, Strategy] = {
    "random": random,
    "margin": margin,
    "entropy": entropy,
    "likely": likely,
    "typical": typical,
    "farthest": farthest,
    "variance_reduction": variance_reduction,
}


def strategy(name: str) -> Strategy:
    """The strategy of this name: one of ours, ``modal:…`` or ``skactiveml:…``. Raises SettingsError."""
    if ":" in name:
        return plugged(name)
    if name not in OURS:
        raise SettingsError(
            f"The strategy {name!r} does not exist. Use attune (the default), one of {', '.join(sorted(OURS))}, "
            "or one of another library, such as modal:margin_sampling or skactiveml:TypiClust."
        )
    return OURS[name]


__all__ = ["OURS", "Picked", "Strategy", "best", "check_candidates", "generator", "strategy"]
