"""Which assets belong to audit titles, worked out once per pool and seed."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.audit_design import reserved_mask
from attune.models.vectors.pool import Pool

_known: WeakKeyDictionary[Pool, dict[tuple[int, float], npt.NDArray[np.int8]]] = WeakKeyDictionary()
_UNKNOWN = -1
AT_ONCE = 50_000  # titles that are strings of Python's at the same time


def pool_reserved_mask(
    pool: Pool,
    index: npt.NDArray[np.intp],
    share: float,
    seed: int,
    known_reserved: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Whether each asset of ``index`` (m,) belongs to an audit title, bool (m,).

    Only the assets asked for are hashed, and each once: hashing a million titles takes longer than scoring them.
    ``known_reserved`` (N,) bool is used as it is.
    """
    if known_reserved is not None:
        return known_reserved[index]
    if not share:
        return np.zeros(len(index), dtype=bool)
    memory = _known.setdefault(pool, {}).setdefault((seed, share), np.full(len(pool), _UNKNOWN, dtype=np.int8))
    fresh = np.unique(index[memory[index] == _UNKNOWN])
    for start in range(0, len(fresh), AT_ONCE):
        some = fresh[start : start + AT_ONCE]
        memory[some] = reserved_mask(pool.title_ids[some], seed, share)
    is_reserved: npt.NDArray[np.bool_] = memory[index] == 1
    return is_reserved
