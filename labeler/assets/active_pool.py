"""The pool as the learner sees it: the active encoder's mapped vectors beside the records' assets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from attune.labeler.assets import kept_rows
from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.assets.chosen_encoder import missing
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EmptyPool
from attune.models.vectors.id_index import IdIndex
from attune.models.vectors.pool import Pool
from attune.models.vectors.vector_store import VectorStore

AT_ONCE = 10_000  # rows that the database hands over at once
GONE = -1  # the key of an asset that may not be shown


@dataclass(frozen=True, eq=False)
class PoolView:
    """A ``Pool`` with each row's primary key in the records; -1 marks a row that may not be shown (removed)."""

    pool: Pool
    keys: npt.NDArray[np.int64]
    fingerprint: Fingerprint

    def positions(self, asset_ids: Iterable[str]) -> npt.NDArray[np.intp]:
        """The rows of ``asset_ids`` (m,), -1 for an asset that is not in the pool or may not be shown any more."""
        rows = self.pool.positions(asset_ids)
        return np.where((rows >= 0) & (self.keys[rows] >= 0), rows, -1)

    @cached_property
    def hidden(self) -> npt.NDArray[np.intp]:
        """Rows that may not be asked about: their asset was removed after its vector was stored."""
        return np.flatnonzero(self.keys < 0)


def open_pool(settings: Settings, session: Session) -> PoolView:
    """The pool of the active encoder. Raises EmptyPool where no asset has a vector yet."""
    encoder = active_encoder(session)
    if encoder is None:
        raise EmptyPool(f"The pool is empty: no asset has a vector. {_next_step(settings)}")
    view = view_of(settings, session, Fingerprint.from_dict(encoder.fingerprint))
    if not len(view.pool):
        raise EmptyPool(
            f"The pool is empty: no asset has a vector of the active encoder yet. {_next_step(settings)} To "
            "list the assets: `attune assets list`"
        )
    return view


def _next_step(settings: Settings) -> str:
    """How vectors come into an empty pool: not by the command that fails where its encoder is not on this machine."""
    return missing(settings) or "Add images: `attune assets add PATH`."


def view_of(settings: Settings, session: Session, fingerprint: Fingerprint) -> PoolView:
    """Map one encoder's vectors and join the records' titles; nothing of the matrix is copied.

    A removed asset keeps its title: whether that is an audit title decides what becomes of the answers it had.
    """
    vectors = VectorStore(settings.vectors).read(fingerprint)
    ids, titles, keys = kept_rows.kept(
        settings, session, fingerprint, vectors, lambda: _in_records(session, vectors.ids)
    )
    return PoolView(Pool(ids, titles, vectors.blocks), keys, fingerprint)


def _in_records(
    session: Session, asset_ids: npt.NDArray[np.str_]
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    """The titles (N,) of ``asset_ids`` (N,) and their keys (N,): no title for an asset that is not in the records, -1
    for one that is not there or was removed.

    Rows are read a part at a time and put where they belong: all of them as Python's objects take ten times the memory.
    """
    key = case((Asset.removed_at.is_(None), Asset.id), else_=GONE)
    found = session.connection().execute(
        select(Asset.asset_id, Asset.title_id, key), execution_options={"yield_per": AT_ONCE}
    )
    places = IdIndex(asset_ids)
    titles, keys = np.zeros(len(asset_ids), dtype="<U1"), np.full(len(asset_ids), GONE, dtype=np.int64)
    for rows in found.partitions():
        names, given, own = zip(*rows, strict=True)
        at = places.rows(names)
        there, named = at >= 0, np.array(given, dtype=np.str_)
        if named.itemsize > titles.itemsize:
            titles = titles.astype(named.dtype)
        titles[at[there]], keys[at[there]] = named[there], np.array(own, dtype=np.int64)[there]
    return titles, keys
