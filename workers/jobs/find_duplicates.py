"""The job `duplicates`: find images of the pool that are nearly the same, and those that are unlike all others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from attune.labeler.assets.active_pool import open_pool
from attune.labeler.explore import duplicates
from attune.labeler.explore.duplicates import LEAST, OUTLIERS, Found
from attune.labeler.explore.same_pictures import same_pictures
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.vectors.near_duplicates import TABLES, Near, near_pairs
from attune.models.vectors.outliers import loneliest

STEPS = 3  # beside the tables: pictures, outliers, the file


def run(settings: Settings, report: Report = quiet) -> dict[str, Any]:
    """Search the whole pool; what an earlier search found is replaced.

    Returns ``{"assets", "groups", "outliers"}``. Raises EmptyPool.
    """
    began = now()
    with reading(settings) as session:
        view = open_pool(settings, session)
        until = session.scalar(select(func.max(Asset.id))) or 0
    count = itertools.count(1)
    report(0, TABLES + STEPS)

    def step() -> None:
        report(next(count), TABLES + STEPS)

    among = np.asarray(view.keys >= 0, dtype=np.bool_)
    near = near_pairs(view.pool, among, LEAST, step=step)
    pairs, equal = _compared(settings, view.keys, near)
    step()
    alone, cosines = loneliest(view.pool, among, OUTLIERS)
    step()
    outliers = [(int(view.keys[row]), round(float(one), 4)) for row, one in zip(alone, cosines, strict=True)]
    assets = int(among.sum())
    found = Found(began, view.fingerprint.digest, assets, until, pairs, equal, outliers)
    duplicates.save(settings, found)
    step()
    with reading(settings) as session:
        left = duplicates.left(session, found)
    return {"assets": assets, "groups": len(left.groups), "outliers": len(left.outliers)}


def _compared(
    settings: Settings, keys: npt.NDArray[np.int64], near: Near
) -> tuple[list[tuple[int, int, float, bool]], list[tuple[int, int, bool]]]:
    """Pairs and equal vectors as `Found` has them: by key, and whether each is one picture."""
    pairs: list[tuple[int, int]] = [(int(a), int(b)) for a, b in keys[near.pairs]]
    equal: list[tuple[int, int]] = [(int(a), int(b)) for a, b in keys[near.equal]]
    same = same_pictures(settings, [*equal, *pairs])
    of_pairs = zip(pairs, near.cosines.tolist(), same[len(equal) :], strict=True)
    return (
        [(a, b, round(cosine, 4), one) for (a, b), cosine, one in of_pairs],
        [(a, b, one) for (a, b), one in zip(equal, same, strict=False)],
    )
