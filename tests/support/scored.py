"""Scores of the pool as `learn` leaves them, chosen by the test and of no probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.settings import Settings


def leave(
    settings: Settings,
    attribute: Attribute,
    assets: Sequence[Asset],
    first: Sequence[float],
    run: int = 1,
    thresholds: Mapping[str, float] | None = None,
    ranked: Mapping[str, RankedRight] | None = None,
    steps: int = 0,
) -> None:
    """Give each of ``assets`` the probability ``first`` of the first class; the others share the rest evenly."""
    one, others = np.asarray(first, dtype=np.float64), len(attribute.classes) - 1
    p = np.column_stack([one, *[(1 - one) / others] * others])
    keys = np.array([asset.id for asset in assets], dtype=np.int64)
    pool_scores.save(settings, attribute, run, keys, p, thresholds or {}, ranked or {}, steps)
