"""Two clusterings beside each other, with one selection: the images of a cluster, wherever they are in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import Viewer, may_open
from attune.labeler.records.schema import Cluster, Clustering
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members, origins
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.origins import Origin
from attune.labeler.views.explore_clusters import found, newest, pictures_of
from attune.labeler.views.pictures import PageImage

SHOWN = 6  # images of the selection in a cluster
MOST = 12  # clusters of a column, those with most of the selection


@dataclass(frozen=True)
class Part:
    """Cluster ``one`` of a column: how many images of the selection it holds, their ``share`` of it, and some."""

    one: Cluster
    held: int
    share: float
    pictures: Sequence[PageImage]


@dataclass(frozen=True)
class Column:
    """One clustering, and where the selection is in it; ``missing`` images of the selection are not in it."""

    row: Clustering
    parts: Sequence[Part]
    missing: int
    origin: Origin


@dataclass(frozen=True)
class Beside:
    """Two columns; ``of`` names the selection (``RUN:N``), ``name`` its cluster. ``choices``: all clusterings."""

    choices: Sequence[Clustering]
    columns: Sequence[Column] = ()
    of: str = ""
    name: str = ""
    size: int = 0


def another(session: Session, viewer: Viewer, row: Clustering) -> int | None:
    """The newest clustering of the whole pool beside ``row``, of another space if there is one."""
    whole = select(Clustering).where(Clustering.scope == "", Clustering.id != row.id, may_open(viewer))
    rows = session.scalars(whole.order_by(Clustering.id.desc())).all()
    other = next((one for one in rows if one.space != row.space), rows[0] if rows else None)
    return None if other is None else other.id


def beside(settings: Settings, viewer: Viewer, a: int | None, b: int | None, of: str) -> Beside:
    """Clusterings ``a`` and ``b``, or the newest and another one, with the images of the cluster ``of`` (``RUN:N``).

    Without ``of`` it is the largest cluster of ``a``. Raises DataError where one does not exist, or a file is gone,
    AccessError where the viewer may not see one.
    """
    with reading(settings) as session:
        choices = session.scalars(select(Clustering).where(may_open(viewer)).order_by(Clustering.id.desc())).all()
        first = found(session, viewer, a) if a else newest(session, viewer)
        second = b or (another(session, viewer, first.row) if first else None)
        if first is None or second is None:
            return Beside(choices)
        pair = (first, found(session, viewer, second))
        run, number = clusterings.parse_within(of) if of else (first.row.id, first.clusters[0].number)
        source = found(session, viewer, run)
        one = source.cluster(number)
        keys = members.load(settings, source.row.file).of(one.place)
        columns = [_column(session, settings, viewer, saved, keys) for saved in pair]
    return Beside(choices, columns, f"{run}:{number}", one.name or f"Cluster {number}", len(keys))


def _column(session: Session, settings: Settings, viewer: Viewer, saved: Saved, keys: npt.NDArray[np.int64]) -> Column:
    held = members.load(settings, saved.row.file)
    at = np.minimum(np.searchsorted(held.keys, keys), max(len(held.keys) - 1, 0))
    there = held.keys[at] == keys if len(held.keys) else np.zeros(len(keys), dtype=np.bool_)
    mine, places = keys[there], held.places[at[there]]
    counts = np.bincount(places, minlength=len(saved.clusters))
    order = [int(place) for place in np.argsort(-counts, kind="stable")[:MOST] if counts[place]]
    shown = {place: mine[places == place][: 2 * SHOWN].tolist() for place in order}
    images = pictures_of(session, viewer, [key for some in shown.values() for key in some])
    by_place = {one.place: one for one in saved.clusters}
    parts = [
        Part(by_place[place], int(counts[place]), float(counts[place]) / max(len(keys), 1),
             [images[key] for key in shown[place] if key in images][:SHOWN])
        for place in order
    ]  # fmt: skip
    return Column(saved.row, parts, int((~there).sum()), origins.of(session, [saved.row])[saved.row.id])
