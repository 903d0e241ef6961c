"""How large a random test must be to confirm an insight."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.insights.insights import Told
from attune.models.errors import AttuneError, DataError
from attune.models.insights.power import POWER, Needed, needed


@dataclass(frozen=True)
class Plan:
    """A test with ``needed`` titles and impressions, at ``rate`` takes per impression, for the headline ``effect``."""

    effect: float
    rate: float
    tau: float
    needed: Needed


def plan(one: Told, titles: int | None = None, power: float = POWER) -> Plan:
    """Plan a test of the headline, with as many titles as the insight has unless told. Raises DataError without one."""
    figures = one.figures
    if figures["estimate"] is None:
        raise DataError(f"Insight {one.row.id} has no figure yet, so no test can be planned. {figures['why']}")
    effect, rate, tau = figures["shrunk"]["estimate"], figures["rate"], figures["tau"]
    return Plan(effect, rate, tau, needed(effect, rate, tau, titles or figures["titles"], power))


def enough_titles(one: Told) -> bool:
    """Whether a test can be planned with as many titles as the insight has."""
    try:
        return bool(plan(one).needed.titles <= one.figures["titles"])
    except AttuneError:
        return False
