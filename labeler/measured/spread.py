"""How the values of one measured feature lie over the pool, as a command or a page tells it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from attune.labeler.measured.values import Measured, measured
from attune.labeler.records import asset_stamp
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

KEPT = 64  # features of which a process keeps how their values lie
POINTS = ((0, "least"), (10, "10 %"), (50, "middle"), (90, "90 %"), (100, "most"))


def spread(one: Measured) -> dict[str, Any]:
    """``{"feature", "unit", "version", "images", "rows"}``: rows of (class, images) or (point of the order, value)."""
    there = one.values[~np.isnan(one.values)]
    rows: list[tuple[str, Any]]
    if one.measure.classes:
        counts = np.bincount(one.measure.codes(there), minlength=len(one.measure.classes))
        rows = list(zip(one.measure.classes, counts.tolist(), strict=True))
    else:
        rows = [(word, round(float(np.percentile(there, at)), 4)) for at, word in POINTS] if len(there) else []
    return {
        "feature": one.measure.name,
        "unit": one.measure.unit,
        "version": one.version,
        "images": len(there),
        "rows": rows,
    }


def kept_spread(settings: Settings, name: str, digest: str) -> dict[str, Any]:
    """As ``spread`` of the measured feature ``name``, whose values have this ``digest``; worked out again once they or
    an asset changed: of a large pool it takes seconds. Raises DataError for a name that there is not.
    """
    with reading(settings) as session:
        stamp = asset_stamp.read(session)
    return spread(measured(settings, name)) if stamp is None else _spread(settings, name, digest, stamp)


@lru_cache(maxsize=KEPT)
def _spread(settings: Settings, name: str, _digest: str, _stamp: str) -> dict[str, Any]:
    return spread(measured(settings, name))
