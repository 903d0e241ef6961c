"""The small pictures that a brief's file holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from attune.labeler.assets.media import thumbnail
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError

SIZE = 256  # pixels


def small_pictures(settings: Settings, asset_ids: Sequence[str]) -> dict[str, bytes]:
    """A JPEG of each of ``asset_ids`` that is in the pool and can be read; a brief goes without the others."""
    wanted = select(Asset).where(Asset.asset_id.in_(sorted(set(asset_ids))), Asset.removed_at.is_(None))
    with reading(settings) as session:
        rows = list(session.scalars(wanted))
    found = {}
    for row in rows:
        try:
            found[row.asset_id] = thumbnail(settings, row, SIZE)
        except (AttuneError, OSError):
            continue
    return found
