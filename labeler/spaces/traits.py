"""What clusters are described by: experts' answers, columns of the asset table, and the champions' scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog import audit_evidence
from attune.labeler.records.schema import Alias, Asset, Attribute, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces.members import Members
from attune.models.catalog.manifest import CHAMPION
from attune.models.catalog.probe_files import ProbeWeights, read_probe
from attune.models.descriptions.enrichment import Trait
from attune.models.files.cell_values import values_of
from attune.models.labels.answers import UNSURE
from attune.models.labels.labels import Labels, consensus

AUDIT, ANSWERS, PROBE, COLUMN, PHRASE = "audit", "answers", "probe", "column", "phrase"
ROWS_AT_ONCE = 5_000
MOST_VALUES = 50  # of a column: one with more is a title or a number, and says nothing of many images at once
FEWEST_IMAGES = 8  # with a value
LONGEST = 255  # characters that the records hold


@dataclass(frozen=True, eq=False)
class Held:
    """The images of a clustering that are still there: key, place of the cluster, id, title and columns of each."""

    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    ids: Sequence[str]
    titles: Sequence[str]
    columns: Sequence[Mapping[str, Any]]

    def rows(self, asset_ids: Sequence[str]) -> npt.NDArray[np.intp]:
        """The rows of ``asset_ids`` (m,), -1 for one that is in no cluster."""
        at = {name: row for row, name in enumerate(self.ids)}
        return np.array([at.get(name, -1) for name in asset_ids], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Source:
    """A trait with where it comes from: ``kind``, the ``name`` of the attribute or column, and the class or value."""

    kind: str
    name: str
    value: str
    trait: Trait
    attribute: int | None = None


@dataclass(frozen=True, eq=False)
class Champion:
    """The probe that an attribute's alias `champion` points to, and what it was made with."""

    attribute: Attribute
    version: int
    encoder_digest: str
    probe: ProbeWeights


def read_assets(settings: Settings, held: Members) -> Held:
    """The members of a clustering that are still in the pool, some thousand rows at a time."""
    found: list[tuple[int, str, str, Mapping[str, Any]]] = []
    columns = (Asset.id, Asset.asset_id, Asset.title_id, Asset.columns)
    for start in range(0, len(held.keys), ROWS_AT_ONCE):
        some = Asset.id.in_(held.keys[start : start + ROWS_AT_ONCE].tolist())
        with reading(settings) as session:
            query = select(*columns).where(some, Asset.removed_at.is_(None)).order_by(Asset.id)
            found += [
                (key, name, title, held_columns or {}) for key, name, title, held_columns in session.execute(query)
            ]
    keys = np.array([row[0] for row in found], dtype=np.int64)
    places = held.places[np.searchsorted(held.keys, keys)] if len(keys) else held.places[:0]
    return Held(keys, places, [row[1] for row in found], [row[2] for row in found], [row[3] for row in found])


def of_experts(settings: Settings, attribute: Attribute, held: Held) -> list[Source]:
    """Each class of ``attribute`` twice: by audit answers, weighted by 1 / their probability, and by the others.

    They stay apart, as the others are of images that Attune or a person chose.
    """
    evidence = audit_evidence.collect(settings, attribute.name)
    audited = set(evidence.labels.asset_ids)
    rest = [
        one for one in evidence.answers if one.asset_id not in audited and one.value in {*attribute.classes, UNSURE}
    ]
    weights = 1 / evidence.inclusion
    return [
        *_by_class(AUDIT, attribute, evidence.labels, weights, held),
        *_by_class(ANSWERS, attribute, consensus(rest, attribute.classes), None, held),
    ]


def _by_class(
    kind: str, attribute: Attribute, labels: Labels, weights: npt.NDArray[np.float64] | None, held: Held
) -> Iterator[Source]:
    decided, majority = labels.decided(), labels.majority()
    rows = held.rows(labels.asset_ids)
    known = decided & (rows >= 0)
    if not known.any():
        return
    all_weights = np.zeros(len(held.ids))
    all_weights[rows[known]] = 1.0 if weights is None else weights[known]
    for place, name in enumerate(attribute.classes):
        holds = np.zeros(len(held.ids), dtype=np.bool_)
        holds[rows[known]] = majority[known] == place
        yield Source(kind, attribute.name, name, Trait("", holds, all_weights), attribute.id)


def of_columns(held: Held) -> Iterator[Source]:
    """The frequent values of each column that has few enough; a cell may hold several (`values_of`)."""
    for column in sorted({name for columns in held.columns for name in columns}):
        values = [tuple(one[:LONGEST] for one in values_of(columns.get(column))) for columns in held.columns]
        counts = Counter(value for some in values for value in set(some))
        if not 2 <= len(counts) <= MOST_VALUES:
            continue
        known = np.array([float(bool(some)) for some in values])
        for value, count in sorted(counts.items()):
            if count >= FEWEST_IMAGES:
                holds = np.array([value in some for some in values], dtype=np.bool_)
                yield Source(COLUMN, str(column)[:LONGEST], value, Trait("", holds, known))


def champions(session: Session) -> list[Champion]:
    """Every attribute's champion that tells today's classes apart."""
    rows = session.execute(
        select(Attribute, Version.version, Run.encoder_digest, Run.probe)
        .join(Alias, (Alias.attribute_id == Attribute.id) & (Alias.alias == CHAMPION))
        .join(Version, (Version.attribute_id == Attribute.id) & (Version.version == Alias.version))
        .join(Run, Run.id == Version.run_id)
        .where(Attribute.retired_at.is_(None))
        .order_by(Attribute.name)
    )
    found = [Champion(one, version, digest, read_probe(probe)) for one, version, digest, probe in rows if probe]
    return [one for one in found if one.probe.classes == len(one.attribute.classes)]
