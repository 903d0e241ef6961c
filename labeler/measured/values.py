"""The measured values of a workspace: where they lie, and one feature of them as it is exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import func, select

from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.measures import BY_NAME, NAMES, Measure, Measurer, class_of

SHORT = 12  # characters of a version's digest, as people read it


@dataclass(frozen=True)
class Measured:
    """One measured feature: ``ids`` (n,) and ``values`` (n,), NaN where an image has none; ``images`` in the pool;
    ``version`` the digest of what measured them.
    """

    measure: Measure
    ids: tuple[str, ...]
    values: npt.NDArray[np.float64]
    images: int
    version: str

    @property
    def classes(self) -> list[str | None]:
        """The class of each image; None of a feature without classes."""
        return [class_of(self.measure.name, float(value)) for value in self.values]


def folder(settings: Settings) -> Path:
    """Where measured values are, a folder a version."""
    return settings.workspace / "features" / "measured"


def values_of(settings: Settings, measurer: Measurer | None = None) -> MeasuredValues:
    """The values of this release's measures; none are there before `attune features measure`."""
    return MeasuredValues(folder(settings), (measurer or Measurer()).digest())


def measure_named(name: str) -> Measure:
    """The measure ``name``. Raises DataError, with those that there are, for another."""
    if name not in BY_NAME:
        raise DataError(f"{name} is no measured feature. Measured features: {', '.join(NAMES)}.", "no such feature")
    return BY_NAME[name]


def measured(settings: Settings, name: str) -> Measured:
    """The values of one measured feature of the images in the pool. Raises DataError for a name that there is not."""
    found = measure_named(name)
    values = values_of(settings)
    table = values.read((name,))
    with reading(settings) as session:
        here = dict(session.execute(select(Asset.asset_id, Asset.digest).where(Asset.removed_at.is_(None))).tuples())
    ids, contents = table["asset_id"].to_pylist(), table["content"].to_pylist()
    kept = np.array([here.get(id_) == content for id_, content in zip(ids, contents, strict=True)], bool)
    column = table[name].to_numpy() if table.num_rows else np.empty(0)
    chosen = tuple(id_ for id_, one in zip(ids, kept, strict=True) if one)
    return Measured(found, chosen, column[kept].astype(np.float64), len(here), values.digest)


def coverage(settings: Settings) -> tuple[int, int]:
    """How many images of the pool are measured, and how many there are."""
    known = values_of(settings).known()
    with reading(settings) as session:
        alive = select(Asset.asset_id, Asset.digest).where(Asset.removed_at.is_(None))
        done = sum(known.get(id_) == content for id_, content in session.execute(alive).tuples())
        images = session.scalar(select(func.count(Asset.id)).where(Asset.removed_at.is_(None))) or 0
    return done, images


def as_table(settings: Settings, one: Measured) -> pa.Table:
    """The feature's values with their titles, as they are exported: asset_id, title_id, feature, version, value, unit,
    class. A value that an image does not have is null.
    """
    with reading(settings) as session:
        titles = dict(session.execute(select(Asset.asset_id, Asset.title_id)).tuples())
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


def forget(settings: Settings, ids: list[str]) -> None:
    """Delete what was measured of images that leave the pool, in every version."""
    for version in folder(settings).glob("*/version.json"):
        MeasuredValues(folder(settings), version.parent.name).remove(ids)
