"""The measured values of a workspace: where they lie, and one feature of them as it is exported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import select

from attune.labeler.measured import objects
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.measured.measured_values import DESCRIBED, MeasuredValues
from attune.models.measured.measures import BY_NAME, NAMES, Measure, Measurer

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

    def at(self, asset_ids: Iterable[str]) -> npt.NDArray[np.float64]:
        """The value of each of ``asset_ids`` (n,), NaN where it is not measured."""
        known = dict(zip(self.ids, self.values.tolist(), strict=True))
        return np.array([known.get(one, np.nan) for one in asset_ids], dtype=np.float64)

    @property
    def classes(self) -> list[str | None]:
        """The class of each image; None of a feature without classes."""
        if not self.measure.classes:
            return [None] * len(self.values)
        named = (*self.measure.classes, None)  # -1 is the last
        return [named[code] for code in self.measure.codes(self.values).tolist()]


def folder(settings: Settings) -> Path:
    """Where measured values are, a folder a version."""
    return settings.workspace / "features" / "measured"


def values_of(settings: Settings, measurer: Measurer | None = None) -> MeasuredValues:
    """The values of this release's measures; none are there before `attune features measure`.

    Raises EncoderError where the weights of the faces' detector are not installed.
    """
    return MeasuredValues(folder(settings), (measurer or Measurer()).digest())


def newest(settings: Settings) -> MeasuredValues | None:
    """The values of the version that measured last; None where no image was measured. Reading needs no detector."""
    found = [json.loads(path.read_text()) for path in folder(settings).glob(f"*/{DESCRIBED}")]
    if not found:
        return None
    return MeasuredValues(folder(settings), max(found, key=lambda one: str(one["at"]))["digest"])


def measure_named(settings: Settings, name: str) -> Measure:
    """The measure ``name``, or the object by text prompts. Raises DataError, with those that there are, for another."""
    if name in BY_NAME:
        return BY_NAME[name]
    found = {one.name: one.phrased.measure for one in objects.listed(settings)}
    if name not in found:
        raise DataError(f"{name} is no measured feature. Measured features: {', '.join([*NAMES, *found])}.")
    return found[name]


def measured(settings: Settings, name: str, only: Sequence[str] | None = None) -> Measured:
    """The values of one measured feature of the images in the pool, or of the ids ``only``; ``images`` counts these.

    Raises DataError for a name that there is not.
    """
    found, table, version = stored(settings, name, only)
    here = pool(settings, only)
    ids, contents = table["asset_id"].to_pylist(), table["content"].to_pylist()
    kept = np.array([here.get(id_) == content for id_, content in zip(ids, contents, strict=True)], bool)
    column = table[name].to_numpy() if table.num_rows else np.empty(0)
    chosen = tuple(id_ for id_, one in zip(ids, kept, strict=True) if one)
    return Measured(found, chosen, column[kept].astype(np.float64), len(here), version)


def stored(settings: Settings, name: str, only: Sequence[str] | None = None) -> tuple[Measure, pa.Table, str]:
    """The measure ``name``, what its files say (``asset_id``, ``content`` and a column of its name), and the digest of
    what measured it. The records are not asked: an image may have left the pool since, or be another picture.

    Raises DataError for a name that there is not.
    """
    guessed = None if name in BY_NAME else objects.find(settings, name)
    found = guessed.phrased.measure if guessed else measure_named(settings, name)
    values = guessed.values if guessed else newest(settings) or values_of(settings)
    return found, values.read((name,), only), values.digest


def coverage(settings: Settings) -> tuple[int, int]:
    """How many images of the pool are measured, and how many there are."""
    values = newest(settings)
    known = values.known() if values else {}
    here = pool(settings)
    return sum(known.get(id_) == content for id_, content in here.items()), len(here)


def pool(settings: Settings, only: Sequence[str] | None = None) -> dict[str, str]:
    """The sha256 of the bytes of each image of the pool, or of those of the ids ``only``, by its id."""
    with reading(settings) as session:
        if only is None:
            alive = select(Asset.asset_id, Asset.digest).where(Asset.removed_at.is_(None))
            return {row.asset_id: row.digest for row in session.execute(alive)}
        # SQLite would rather go through all images that are not removed than through a thousand ids.
        named = select(Asset.asset_id, Asset.digest, Asset.removed_at).where(Asset.asset_id.in_(only))
        return {row.asset_id: row.digest for row in session.execute(named) if row.removed_at is None}


def forget(settings: Settings, ids: list[str]) -> None:
    """Delete what was measured of images that leave the pool, in every version."""
    for version in folder(settings).glob(f"*/{DESCRIBED}"):
        MeasuredValues(folder(settings), version.parent.name).remove(ids)
    objects.forget(settings, ids)
