"""The space `taste` as a way of seeing the pool: the champion's, projected from the encoder's vectors when read."""

from __future__ import annotations

from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.active_pool import PoolView, view_of
from attune.labeler.records.schema import SpaceVersion
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EmptyPool, EncoderMismatch
from attune.models.similarity.projected_pool import ProjectedPool, fingerprint


def champion(session: Session) -> SpaceVersion | None:
    """The version in use, where it is of the pool's encoder; else None."""
    row = learned.champion(session)
    try:
        if row is not None:
            towers.check_base(row, active_fingerprint(session))
    except EncoderMismatch:
        return None
    return row


def fingerprint_of(row: SpaceVersion) -> Fingerprint:
    """What makes the vectors of a version."""
    space, manifest = learned.load(row)
    return fingerprint(towers.vectors_of(manifest), manifest, space)


def open_champion(settings: Settings, session: Session) -> PoolView:
    """The pool as the champion sees it. Raises UnknownProbe without one, EncoderMismatch, EmptyPool."""
    row = learned.in_use(session)
    towers.check_base(row, active_fingerprint(session))
    space, manifest = learned.load(row)
    view = view_of(settings, session, towers.vectors_of(manifest))
    if not len(view.pool):
        raise EmptyPool(towers.none_yet(row))
    pool = ProjectedPool(view.pool.asset_ids, view.pool.title_ids, view.pool.blocks, space)
    return PoolView(pool, view.keys, fingerprint(view.fingerprint, manifest, space))
