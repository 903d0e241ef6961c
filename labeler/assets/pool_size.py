"""How many images the pool has: counted once for each state of the assets, as millions of rows take a while."""

from __future__ import annotations

from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.records import asset_stamp
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import only_reads

KEPT = 8  # of so many states, as a process may see several records
_counted: dict[str, int] = {}
_lock = Lock()


def pool_size(session: Session) -> int:
    """How many assets are in the pool, removed ones apart."""
    stamp = asset_stamp.read(session) if only_reads(session) else None
    if stamp is None:
        return _count(session)
    with _lock:
        known = _counted.get(stamp)
    if known is None:
        known = _count(session)
        with _lock:
            _counted[stamp] = known
            for old in list(_counted)[:-KEPT]:
                del _counted[old]
    return known


def _count(session: Session) -> int:
    return session.scalar(select(func.count(Asset.id)).where(Asset.removed_at.is_(None))) or 0
