"""Which images of a large pool a gallery may show: numbers from the database, never a row for each image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import Executable, select
from sqlalchemy.orm import Session

from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.people.viewer import Viewer, waiting
from attune.labeler.records.schema import Asset


def visible(session: Session, viewer: Viewer, query: Query, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which ``keys`` (N,), ascending, an owner may see, as `may_compare` has it, and the filter lets through."""
    return there(session, query, keys) & ~among(keys, keys_of(session, waiting(viewer)))


def there(session: Session, query: Query, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which ``keys`` (N,), ascending, are still in the pool and let through by the filter."""
    # One condition for both would read every image of the pool; apart, each has an index.
    mask = ~among(keys, keys_of(session, select(Asset.id).where(Asset.removed_at.is_not(None))))
    parts = search.parts(query)
    if len(parts) == 1:  # a name alone is looked for in the indexes of both names
        mask &= among(keys, np.concatenate([keys_of(session, select(Asset.id).where(one)) for one in parts[0]]))
    elif parts:
        mask &= among(keys, keys_of(session, select(Asset.id).where(search.allowed_by(query))))
    return mask


def keys_of(session: Session, statement: Executable) -> npt.NDArray[np.int64]:
    """The keys that ``statement`` finds, without the row object for each that takes longer than they do."""
    rows = session.connection().execute(statement)
    return np.asarray([row[0] for row in rows.cursor.fetchall()] if rows.cursor else [], dtype=np.int64)


def among(keys: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of ``keys`` (N,), ascending, are ``wanted`` (m,); in the time of the fewer of them."""
    mask = np.zeros(len(keys), dtype=bool)
    at = np.searchsorted(keys, wanted)
    at, wanted = at[at < len(keys)], wanted[at < len(keys)]
    mask[at[keys[at] == wanted]] = True
    return mask
