"""One measured feature as a table of assets, for other programs."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import select

from attune.labeler.measured.values import Measured
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings


def as_table(settings: Settings, one: Measured) -> pa.Table:
    """The feature's values with their titles, as they are exported: asset_id, title_id, feature, version, value, unit,
    class. A value that an image does not have is null.
    """
    with reading(settings) as session:
        titles = {row.asset_id: row.title_id for row in session.execute(select(Asset.asset_id, Asset.title_id))}
    count = len(one.ids)
    return pa.table(
        {
            "asset_id": pa.array(one.ids, pa.string()),
            "title_id": pa.array([titles.get(id_) for id_ in one.ids], pa.string()),
            "feature": pa.array([one.measure.name] * count, pa.string()),
            "version": pa.array([one.version] * count, pa.string()),
            "value": pa.array(one.values, pa.float64(), from_pandas=True),
            "unit": pa.array([one.measure.unit] * count, pa.string()),
            "class": pa.array(one.classes, pa.string()),
        }
    )
