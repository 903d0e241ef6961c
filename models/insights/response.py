"""Audits that were drawn and not answered: the answered stand for them (weighting classes, Little 1986).

An audit that is open or was skipped is no audit that was never drawn. Among images that score alike, those with an
answer stand for all that were drawn, so each was included with its chance of the draw times the share that answered.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats

MOST_OPEN = 0.05  # of the drawn audits: who answers first is no chance, and more would bias the effect
BANDS, LEAST_BAND = 5, 20


def check_answered(name: str, answered: npt.NDArray[np.bool_]) -> None:
    """Raise NotEnoughLabels where more than ``MOST_OPEN`` of the drawn audits (n,) of attribute ``name`` are open."""
    lot, open_ = len(answered), int((~answered).sum())
    if open_ > MOST_OPEN * lot:
        raise NotEnoughLabels(
            f"{open_} of {lot} audits of {name} are open: answer them. An audit is an image that an expert checks. "
            f"Which ones, chance chose, so at most {100 * MOST_OPEN:.0f} % of them may have no answer."
        )


def response(score: Floats, inclusion: Floats, answered: npt.NDArray[np.bool_]) -> Floats:
    """The share (n,) of the draw that answered, above 0 to 1, in the band of each drawn audit's ``score`` (n,).

    ``inclusion`` (n,) is each audit's probability of the draw: shares are of all images of a band, by 1 / inclusion. A
    band in which nobody answered has 1: it has nothing to weigh.
    """
    if not len(score):
        return np.ones(0)
    bands = int(np.clip(len(score) // LEAST_BAND, 1, BANDS))
    edges = np.quantile(score, np.arange(1, bands) / bands)
    band = np.searchsorted(edges, score, side="right")
    weight = 1 / inclusion
    drawn = np.bincount(band, weight, minlength=bands)
    share = np.bincount(band, weight * answered, minlength=bands) / np.where(drawn > 0, drawn, 1.0)
    return np.asarray(np.where(share > 0, share, 1.0)[band], dtype=np.float64)
