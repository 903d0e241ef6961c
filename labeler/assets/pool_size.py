"""How many images the pool has: counted once for each state of the assets, as millions of rows take a while."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.records import asset_stamp
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import only_reads

KEPT = 8  # of so many states, as a process may see several records
_counted: dict[str, int] = {}


def pool_size(session: Session) -> int:
    """How many assets are in the pool, removed ones apart."""
    stamp = asset_stamp.read(session) if only_reads(session) else None
    if stamp is None:
        return _count(session)
    if stamp not in _counted:
        while len(_counted) >= KEPT:
            _counted.pop(next(iter(_counted)), None)
        _counted[stamp] = _count(session)
    return _counted.get(stamp) or _count(session)


def _count(session: Session) -> int:
    return session.scalar(select(func.count(Asset.id)).where(Asset.removed_at.is_(None))) or 0
