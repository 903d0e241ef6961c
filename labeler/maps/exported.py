"""A map as a Parquet file for other programs: positions, neighbours, and what is known of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.maps import layouts, pictures, positions
from attune.labeler.records.schema import Asset, Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members, origins, spaces
from attune.labeler.spaces.clusterings import Saved
from attune.models.errors import DataError
from attune.models.files.outputs import user_file
from attune.models.maps.fixed_point import DIRECTION_SCALE, ROW_SCALE, IntRows
from attune.models.maps.layout import SPAN, neighbours
from attune.models.maps.placing import Places

NEIGHBOURS = 15
AT_ONCE = 8_192  # vectors held as float32
STEPS = 3
OWN = frozenset({"id", "x", "y", "neighbors", "title_id", "uri", "cluster", pictures.COLUMN})
NEIGHBOUR_TYPE = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float32()))])


@dataclass(frozen=True, eq=False)
class _Shown:
    """The assets (n) of a map that are written, their ``components`` (n, m) and ``places`` (n, 2)."""

    assets: Sequence[Any]
    components: IntRows
    places: Places
    step: float


def export(
    settings: Settings, to: Path, space: str = spaces.FINAL, report: Report = quiet, images: bool = False
) -> int:
    """Write the newest map of ``space``; how many images. Raises DataError without a map, or for another suffix.

    Columns: ``id``, ``x`` and ``y`` in [0, 1] (y upwards), ``neighbors`` (struct of ``ids``, rows of this file from 0,
    and ``distances`` in the space), ``title_id``, ``uri``, ``cluster``, the asset table's own as text, and with
    ``images`` a small picture as ``image``, as other programs show no ``uri`` of this machine. No removed images.
    ``cluster`` is of the newest clustering of the map's space, else of `final`; the file's metadata name both.
    """
    if to.suffix.lower() != ".parquet":
        raise DataError(f"--to is {str(to)!r}. Give a file name that ends in .parquet.")
    with reading(settings) as session:
        shown = _shown(settings, session, space)
        clustering = clusterings.latest(session, space) or clusterings.latest(session)
        facts = _facts(session, layouts.needed(session, space), clustering)
    report(1, STEPS)
    where = shown.places.astype(np.float32) / SPAN
    columns: dict[str, pa.Array] = {
        "id": pa.array([one.asset_id for one in shown.assets], pa.string()),
        "x": pa.array(where[:, 0]),
        "y": pa.array(1 - where[:, 1]),
        "neighbors": _neighbours(shown.components, shown.step),
        "title_id": pa.array([one.title_id for one in shown.assets], pa.string()),
        "uri": pa.array([one.uri for one in shown.assets], pa.string()),
    }
    report(2, STEPS)
    if clustering is not None:
        inside = members.load(settings, clustering.row.file)
        numbers = {one.place: one.number for one in clustering.clusters}
        of_key = dict(zip(inside.keys.tolist(), inside.places.tolist(), strict=True))
        columns["cluster"] = pa.array([numbers.get(of_key.get(one.id, -1)) for one in shown.assets], pa.int32())
    columns |= _own_columns([one.columns for one in shown.assets])
    with user_file(to) as file:
        table = pa.table(columns).replace_schema_metadata(facts)
        _write(settings, table, [one.id for one in shown.assets] if images else None, file)
    report(STEPS, STEPS)
    return len(shown.assets)


def _facts(session: Session, row: Layout, clustering: Saved | None) -> dict[str, str]:
    """What the file's metadata say: the space of the map and of the clusters, with the version of a learned one."""
    label = origins.of(session, [row])[row.id].label
    facts = {"attune.map": str(row.id), "attune.space": label, "attune.space_digest": row.space_digest}
    if clustering is not None:
        made = origins.of(session, [clustering.row])[clustering.row.id].label
        facts |= {"attune.clustering": str(clustering.row.id), "attune.clustering_space": made}
    return facts


def _write(settings: Settings, table: pa.Table, keys: Sequence[int] | None, file: Any) -> None:
    """Write the table, with pictures of the assets ``keys`` where there are any, some rows at a time."""
    if not keys:
        pq.write_table(table, file)
        return
    with pq.ParquetWriter(file, table.schema.append(pa.field(pictures.COLUMN, pictures.TYPE))) as writer:
        for part in pictures.with_pictures(settings, table, keys):
            writer.write_table(part)


def _shown(settings: Settings, session: Session, space: str) -> _Shown:
    row = layouts.needed(session, space)
    held = positions.load(settings, row.file or "")
    view = spaces.open_space(settings, session, space)
    query = select(Asset.id, Asset.asset_id, Asset.title_id, Asset.uri, Asset.columns)
    assets = session.execute(query.where(Asset.removed_at.is_(None)).order_by(Asset.id)).all()
    vector = {key: at for at, key in enumerate(view.keys.tolist()) if key >= 0}
    place = {key: at for at, key in enumerate(held.keys.tolist())}
    rows = [one for one in assets if one.id in vector and one.id in place]
    whole = positions.load_landmarks(settings, row.landmarks_digest).whole
    index = np.array([vector[one.id] for one in rows], dtype=np.intp)
    components = np.empty((len(rows), len(whole.directions)), dtype=np.int16)
    for start in range(0, len(rows), AT_ONCE):
        components[start : start + AT_ONCE] = whole.project(view.pool.rows(index[start : start + AT_ONCE]))
    places = held.places[np.array([place[one.id] for one in rows], dtype=np.intp)]
    return _Shown(rows, components, places, whole.step / (ROW_SCALE * DIRECTION_SCALE))


def _neighbours(components: IntRows, step: float) -> pa.Array:
    """Of each row its nearest other rows; distances as of unit vectors."""
    if len(components) < 2:
        return pa.array([{"ids": [], "distances": []} for _ in components], NEIGHBOUR_TYPE)
    index, distances = neighbours(components, NEIGHBOURS)
    offsets = np.arange(0, index.size + 1, index.shape[1], dtype=np.int32)
    ids = pa.ListArray.from_arrays(offsets, pa.array(index.ravel().astype(np.int64)))
    far = (distances * step).astype(np.float32)
    return pa.StructArray.from_arrays(
        [ids, pa.ListArray.from_arrays(offsets, pa.array(far.ravel()))], fields=list(NEIGHBOUR_TYPE)
    )


def _own_columns(held: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """The asset table's columns as text: one file may hold numbers and words in the same one.

    A name that is taken gets ``column_`` in front, until no other column has it. DuckDB takes X and x for one name.
    """
    names = sorted({str(name) for one in held for name in one})
    theirs, taken = {name.casefold() for name in names}, set(OWN)
    out: dict[str, pa.Array] = {}
    for name in names:
        shown = name
        while shown.casefold() in taken or (shown != name and shown.casefold() in theirs):
            shown = f"column_{shown}"
        taken.add(shown.casefold())
        values = (one.get(name) for one in held)
        out[shown] = pa.array([None if value is None else str(value) for value in values], pa.string())
    return out
