"""What is known of titles before anybody watches them: metadata, attributes and artwork, as numbers with names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.explore import space_index
from attune.labeler.insights import audited, features
from attune.labeler.insights.known import Known
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces.spaces import FINAL
from attune.models.errors import EmptyPool
from attune.models.files.atomic import digest_json
from attune.models.files.cell_values import values_of
from attune.models.insights.outcomes import Floats
from attune.models.vectors.pool import unit_length

METADATA, ATTRIBUTES, POSTERS = "metadata", "attributes", "posters"
FEWEST, MOST = 5, 60  # titles that a value must have, and values of a column, the most frequent first
NUMBERS = 0.9  # of the cells: a column with as many is one of numbers


@dataclass(frozen=True, eq=False)
class Titles:
    """Titles that have an image here: their ``cells`` by column, ``features`` by name, and ``vectors`` (t, d).

    A title without a vector has NaN; None: no title has one.
    ``encoder`` says of which encoder the vectors are, empty without any.
    """

    ids: Sequence[str]
    cells: Sequence[Mapping[str, Any]]
    features: Mapping[str, Floats]
    vectors: Floats | None
    encoder: str

    def names(self) -> dict[str, list[str]]:
        """The names of the numbers that describe these titles, by block; artwork has one for each dimension."""
        columns = sorted({name for cells in self.cells for name in cells})
        parts = [_of_column(column, [cells.get(column) for cells in self.cells]) for column in columns]
        metadata = [name for part in parts for name in part]
        found = {METADATA: metadata, ATTRIBUTES: sorted(self.features)}
        if self.vectors is not None:
            found[POSTERS] = [str(number) for number in range(self.vectors.shape[1])]
        return {block: names for block, names in found.items() if names}

    def values(self, block: str, names: Sequence[str], otherwise: Sequence[float] | None = None) -> Floats:
        """The numbers (t, d) called ``names``; ``otherwise`` (d,) where one is unknown, None: the mean of the known."""
        if block == POSTERS:
            none = np.full((len(self.ids), len(names)), np.nan)
            held = none if self.vectors is None else self.vectors
        elif block == METADATA:
            columns = [[_cell(name, cells) for cells in self.cells] for name in names]
            held = np.array(columns, dtype=np.float64).reshape(len(names), len(self.ids)).T
        else:
            unknown = np.full(len(self.ids), np.nan)
            held = np.stack([self.features.get(name, unknown) for name in names], axis=1)
        if otherwise is None:
            known = np.isfinite(held)
            otherwise = np.where(known, held, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.asarray(np.where(np.isfinite(held), held, otherwise), dtype=np.float64)


def titles(settings: Settings, wanted: Sequence[str]) -> Titles:
    """Those of ``wanted`` that have an image here, in the same order."""
    asked = set(wanted)
    cells: dict[str, dict[str, Any]] = {}
    images: dict[str, str] = {}
    with reading(settings) as session:
        rows = select(Asset.asset_id, Asset.title_id, Asset.columns).where(Asset.removed_at.is_(None))
        for asset_id, title_id, columns in session.execute(rows.order_by(Asset.id)):
            if title_id in asked:
                images[asset_id] = title_id
                held = cells.setdefault(title_id, {})
                held.update({name: cell for name, cell in (columns or {}).items()
                             if name not in held and values_of(cell)})  # fmt: skip
    ids = [one for one in dict.fromkeys(wanted) if one in cells]
    vectors, encoder = _vectors(settings, ids)
    return Titles(ids, [cells[one] for one in ids], _features(settings, ids, images), vectors, encoder)


def _of_column(column: str, cells: Sequence[Any]) -> list[str]:
    """The names of the numbers that a column gives: itself, or one for each value."""
    filled = [cell for cell in cells if values_of(cell)]
    if not filled:
        return []
    if sum(_number(cell) is not None for cell in filled) >= NUMBERS * len(filled):
        return [column]
    counts = Counter(value for cell in filled for value in values_of(cell))
    return [f"{column}={value}" for value, count in counts.most_common(MOST) if count >= FEWEST]


def _cell(name: str, cells: Mapping[str, Any]) -> float:
    column, equals, value = name.partition("=")
    if not equals or name in cells:
        number = _number(cells.get(name))
        return math.nan if number is None else number
    return float(value in values_of(cells.get(column)))


def _number(cell: Any) -> float | None:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _vectors(settings: Settings, ids: Sequence[str]) -> tuple[Floats | None, str]:
    """The mean vector of each title's images, of unit length."""
    try:
        index = space_index.opened(settings, FINAL)
    except EmptyPool:
        return None, ""
    place = {name: number for number, name in enumerate(ids)}
    there = index.view.keys >= 0
    of = np.array([place.get(str(one), -1) for one in index.view.pool.title_ids], dtype=np.intp)
    rows = np.flatnonzero(there & (of >= 0))
    if not len(rows):
        return None, ""
    total = np.zeros((len(ids), index.vectors(rows[:1]).shape[1]), dtype=np.float32)
    for start in range(0, len(rows), space_index.BLOCK):
        part = rows[start : start + space_index.BLOCK]
        np.add.at(total, of[part], index.vectors(part))
    found = unit_length(total).astype(np.float64)
    found[np.setdiff1d(np.arange(len(ids)), of[rows])] = np.nan
    return found, digest_json(index.view.fingerprint.to_dict())


def _features(settings: Settings, ids: Sequence[str], images: Mapping[str, str]) -> dict[str, Floats]:
    """The mean of each feature over a title's images: a number, or the share of each class; NaN where unknown."""
    place = {name: number for number, name in enumerate(ids)}
    assets = np.array(list(images), dtype=np.object_)
    of = np.array([place[images[one]] for one in assets], dtype=np.intp)
    found: dict[str, Floats] = {}
    for name, feature in audited.without_guesses(features.known(settings)).items():
        values = features.values(settings, feature, assets)
        for label, numbers in _numbers(name, feature, values):
            known = np.isfinite(numbers)
            count = np.bincount(of[known], minlength=len(ids))
            total = np.bincount(of[known], numbers[known], minlength=len(ids))
            found[label] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return {label: mean for label, mean in found.items() if np.isfinite(mean).any()}


def _numbers(name: str, feature: Known, values: Any) -> list[tuple[str, Floats]]:
    if not feature.classes:
        return [(name, np.asarray(values, dtype=np.float64))]
    return [(f"{name}: {one}", np.where(values == "", np.nan, values == one).astype(np.float64))
            for one in feature.classes]  # fmt: skip
