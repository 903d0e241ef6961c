"""How the values of one measured feature lie over the pool, as a command or a page tells it."""

from __future__ import annotations

from typing import Any

import numpy as np

from attune.labeler.measured.values import Measured

POINTS = ((0, "least"), (10, "10 %"), (50, "middle"), (90, "90 %"), (100, "most"))


def spread(one: Measured) -> dict[str, Any]:
    """``{"feature", "unit", "version", "images", "rows"}``: rows of (class, images) or (point of the order, value)."""
    there = one.values[~np.isnan(one.values)]
    rows: list[tuple[str, Any]]
    if one.measure.classes:
        named = [value for value in one.classes if value is not None]
        rows = [(value, named.count(value)) for value in one.measure.classes]
    else:
        rows = [(word, round(float(np.percentile(there, at)), 4)) for at, word in POINTS] if len(there) else []
    return {
        "feature": one.measure.name,
        "unit": one.measure.unit,
        "version": one.version,
        "images": len(there),
        "rows": rows,
    }
