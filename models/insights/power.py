"""How large a test must be to confirm an insight: titles and impressions for a random test of two images a title."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from attune.models.errors import NotEnoughLabels

POWER = 0.8
ALPHA = 0.05


@dataclass(frozen=True)
class Needed:
    """``titles``, each with one image of either side that is shown ``each`` times."""

    titles: int
    each: int

    @property
    def impressions(self) -> int:
        """Of all images together."""
        return 2 * self.titles * self.each


def needed(effect: float, rate: float, tau: float, titles: int, power: float = POWER) -> Needed:
    """What a test takes to find a log rate ratio ``effect`` at 5 % (both ways) with ``power``.

    ``rate``: takes per impression; ``tau``: how much the effect differs between titles; ``titles``: how many the test
    may have. Its error is 4 / (rate * impressions) + tau^2 / titles, of two equal arms. Too few titles for ``tau`` are
    raised to twice what no number of impressions would be enough for. Each image is shown equally often, so the
    impressions are rounded up to whole ones of each. Raises NotEnoughLabels without effect or takes.
    """
    if effect == 0 or rate <= 0:
        raise NotEnoughLabels("There is no effect or no take yet, so no test can be planned. Add performance first.")
    variance = (effect / float(ndtri(1 - ALPHA / 2) + ndtri(power))) ** 2
    least = tau**2 / variance
    count = max(titles, 2) if titles > 1.25 * least else math.ceil(2 * least)
    impressions = 4 / (rate * (variance - tau**2 / count))
    return Needed(count, math.ceil(impressions / (2 * count)))


def reached(effect: float, rate: float, tau: float, titles: int, impressions: int) -> float:
    """The power of a test of ``titles`` with ``impressions`` of all of them together, as ``needed`` plans it."""
    error = math.sqrt(4 / (rate * impressions) + tau**2 / titles)
    return float(ndtr(abs(effect) / error - ndtri(1 - ALPHA / 2)))
