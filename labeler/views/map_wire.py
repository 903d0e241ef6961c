"""A map as a browser reads it: whole numbers in columns, in a shuffled order, compressed.

The order is that of a hash of the assets' keys. Drawn one after another, no group hides another, and the first thousand
points are a fair sample. A point is known by its place in this order, together with the digest of the positions' file.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.maps import positions
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.labeler.views import gallery_filter

Keys = npt.NDArray[np.int64]
GONE = 65_535  # both coordinates of an image that was removed: no map reaches its own corner
LEVEL = 1  # of gzip: places are nearly random, so that more work saves no byte


def order(keys: Keys) -> npt.NDArray[np.intp]:
    """The shuffled order of ``keys`` (n,): by the finaliser of splitmix64 (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.argsort(mixed, kind="stable").astype(np.intp)


@lru_cache(maxsize=4)
def keys_of(settings: Settings, digest: str) -> Keys:
    """The assets' keys (n,) by their place on the wire. Raises DataError where the file is gone."""
    return positions.load(settings, digest).keys[_order_of(settings, digest)]


@lru_cache(maxsize=4)
def _order_of(settings: Settings, digest: str) -> npt.NDArray[np.intp]:
    return order(positions.load(settings, digest).keys)


def tag(session: Session, digest: str) -> str:
    """What the bytes of ``packed`` depend on: the file, and which of its images were removed."""
    removed = select(func.count(Asset.id), func.max(Asset.removed_at)).where(Asset.removed_at.is_not(None))
    count, newest = session.execute(removed).one()
    return f"{digest[:32]}-{count}-{int(newest.timestamp()) if newest else 0}"


def packed(settings: Settings, session: Session, digest: str) -> bytes:
    """All positions: the x of each point, then the y of each, uint16 with the lower byte first; gzip."""
    removed = np.flatnonzero(gone(session, positions.load(settings, digest).keys))
    return _packed(settings, digest, tuple(removed.tolist()))


@lru_cache(maxsize=2)  # the same for everybody, and 800 KB for 200,000 images
def _packed(settings: Settings, digest: str, removed: tuple[int, ...]) -> bytes:
    places = positions.load(settings, digest).places.copy()
    places[list(removed)] = GONE
    shuffled = places[_order_of(settings, digest)]
    return gzip.compress(np.ascontiguousarray(shuffled.T).astype("<u2").tobytes(), LEVEL, mtime=0)


def gone(session: Session, keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of ``keys`` (n,), ascending, are of removed images."""
    removed = np.fromiter(session.scalars(select(Asset.id).where(Asset.removed_at.is_not(None))), dtype=np.int64)
    return gallery_filter.among(keys, removed)
