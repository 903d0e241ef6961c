"""A transfer prior: directions that an attribute may use, from what others published and from its own prompts.

Attributes of one catalogue resemble each other: what tells a romance apart is more likely to lie along what tells
friendship, comedy or drama apart than along any other direction of the embedding. So the prior over the new head's
weights is wider along them. This is multi-task learning with a shared low-dimensional subspace (Ando and Zhang, JMLR 6,
2005), whose subspace is what the catalogue holds; labels decide how much of it to believe (``prior_strength``). The
attribute's own prompts are such directions too: LP++ (arXiv 2404.02285) lets labels weigh each class's text vector.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from attune.models.vectors.pool import Pool
from attune.models.vectors.products import FloatArray

SAMPLE = 5_000  # assets that suffice for the spread of a head's scores over the pool
_known: WeakKeyDictionary[Pool, dict[bytes, FloatArray | None]] = WeakKeyDictionary()


def transfer_prior(heads: FloatArray | None, pool: Pool) -> FloatArray | None:
    """The ``heads`` (m, d) scaled so that their scores' variance over the pool sums to that of the vectors themselves.

    Each head counts the same, however sure its attribute is. Float32 (m', d) without heads that tell nothing apart
    here; None where none is left, or the pool is empty. Worked out once per pool and heads, read-only: a round fits up
    to nine probes through the same transfer prior.
    """
    if heads is None or not len(pool):
        return None
    pool_cache, key = _known.setdefault(pool, {}), heads.tobytes()
    if key not in pool_cache:
        pool_cache[key] = _scaled(heads, pool)
    return pool_cache[key]


def _scaled(heads: FloatArray, pool: Pool) -> FloatArray | None:
    rows = pool.rows(pool.sample(SAMPLE, np.random.default_rng(len(pool))))
    spread = (rows @ heads.T).std(axis=0)
    usable = spread > 1e-6
    if not usable.any():
        return None
    share = np.sqrt(pool.variance / usable.sum())
    scaled: FloatArray = (share * heads[usable] / spread[usable, None]).astype(np.float32)
    scaled.setflags(write=False)
    return scaled
