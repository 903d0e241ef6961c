"""The job `duplicates`: find images of the pool that are nearly the same, and those that are unlike all others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from sqlalchemy import func, select

from attune.labeler.assets.active_pool import open_pool
from attune.labeler.explore import duplicates
from attune.labeler.explore.duplicates import LEAST, OUTLIERS, Found
from attune.labeler.explore.look_alikes import decided
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.vectors.near_duplicates import TABLES, groups_of, near_pairs
from attune.models.vectors.outliers import loneliest

STEPS = 2  # beside the tables: outliers, the file


def run(settings: Settings, report: Report = quiet) -> dict[str, Any]:
    """Search the whole pool; what an earlier search found is replaced.

    Returns ``{"assets", "groups", "outliers"}``. Raises EmptyPool.
    """
    began = now()
    with reading(settings) as session:
        view = open_pool(settings, session)
        known = decided(session).pairs
        until = session.scalar(select(func.max(Asset.id))) or 0
    count = itertools.count(1)
    report(0, TABLES + STEPS)

    def step() -> None:
        report(next(count), TABLES + STEPS)

    among = np.asarray(view.keys >= 0, dtype=np.bool_)
    pairs, cosines = near_pairs(view.pool, among, LEAST, step=step)
    keys = np.sort(view.keys[pairs], axis=1)
    asked = np.array([(a, b) not in known for a, b in keys.tolist()], dtype=np.bool_)
    groups = [
        [(int(view.keys[row]), round(near, 4)) for row, near in group]
        for group in groups_of(pairs[asked], cosines[asked])
    ]
    alone, near = loneliest(view.pool, among, OUTLIERS)
    step()
    outliers = [(int(view.keys[row]), round(float(one), 4)) for row, one in zip(alone, near, strict=True)]
    digest = view.fingerprint.digest
    duplicates.save(settings, Found(began, digest, int(among.sum()), until, groups, outliers))
    step()
    return {"assets": int(among.sum()), "groups": len(groups), "outliers": len(outliers)}
