"""A clustering as a table of assets, for other programs: which cluster each is in, and how typical it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members
from attune.models.files.table_output import check_table_suffix, write_table


def export(settings: Settings, clustering_id: int, to: Path) -> int:
    """Write ``asset_id``, ``title_id``, ``cluster`` (its number), ``name`` and ``cosine`` to a CSV or Parquet file; how
    many rows. Removed assets are left out. Raises DataError for another suffix or no such clustering."""
    check_table_suffix(to)
    with reading(settings) as session:
        saved = clusterings.find(session, clustering_id)
        held = members.load(settings, saved.row.file)
        there = select(Asset.id, Asset.asset_id, Asset.title_id).where(Asset.removed_at.is_(None)).order_by(Asset.id)
        assets = session.execute(there).all()
    keys = np.array([row.id for row in assets], dtype=np.int64)
    _, rows, places = np.intersect1d(keys, held.keys, assume_unique=True, return_indices=True)
    of_place = {one.place: one for one in saved.clusters}
    mine = [of_place[int(place)] for place in held.places[places]]
    table = pa.table(
        {
            "asset_id": pa.array([assets[row].asset_id for row in rows], pa.string()),
            "title_id": pa.array([assets[row].title_id for row in rows], pa.string()),
            "cluster": pa.array([one.number for one in mine], pa.int32()),
            "name": pa.array([one.name for one in mine], pa.string()),
            "cosine": pa.array(held.cosines[places].astype(np.float32)),
        }
    )
    return write_table(to, table)
