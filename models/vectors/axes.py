"""The pool's leading directions: what varies most from image to image, and is often beside the question.

Encoders spend most of a vector's variance on few directions: how a picture is framed, its style, its medium. A head
with an even prior listens to those first. Where the answer lies elsewhere, a prior that is narrower along them needs
fewer labels: all but the top components (Mu and Viswanath, ICLR 2018); whitening by a shared covariance, which is
strong on CLIP (Wang et al., arXiv 2402.04087). Where it lies along them that would hurt, so it is one belief among
others, and the labels' evidence decides (``attune.models.probes.prior_strength``).
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.utils.extmath import randomized_svd

from attune.models.vectors.pool import Pool
from attune.models.vectors.products import FloatArray

LEADING = 8  # directions that may be beside the question
SAMPLE = 4_000  # assets that suffice to find them
LEAST_LEFT = 0.02  # of the variance, without what is narrowed away: below, nothing is left to lie elsewhere
_known: WeakKeyDictionary[Pool, Axes | None] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Axes:
    """The leading ``directions`` (m, d), orthonormal, and what makes a prior even in what the scores then vary by.

    Along direction i the prior's variance is 1 + ``widths``[i], in (0, 1], of any other direction's, so that each
    leading direction adds as much to a score's variance as the others do on average; ``scale`` keeps the sum of all.
    """

    directions: FloatArray
    widths: FloatArray
    scale: float

    def narrowed(self, rows: FloatArray, belief: float) -> FloatArray:
        """``rows`` (n, d) as an even prior must see them to stand for this one, held true with the probability
        ``belief``: their products are the prior's covariance of the rows' scores, float32 (n, d)."""
        flat = np.sqrt(1 - belief + belief * self.scale)
        along = np.sqrt(1 - belief + belief * self.scale * (1 + self.widths))
        narrowed: FloatArray = flat * rows + (rows @ self.directions.T * (along - flat)) @ self.directions
        return narrowed.astype(np.float32, copy=False)


def leading_axes(pool: Pool) -> Axes | None:
    """The pool's axes, None where it is too small or too flat to have any. Worked out once per pool, the same for the
    same vectors."""
    if pool not in _known:
        _known[pool] = _compute_axes(pool)
    return _known[pool]


def _compute_axes(pool: Pool) -> Axes | None:
    if len(pool) < 4 * LEADING or pool.dim < 2 * LEADING:
        return None
    rows = pool.rows(pool.sample(SAMPLE, np.random.default_rng(len(pool))))
    rows -= rows.mean(axis=0)
    _, sizes, directions = randomized_svd(rows, LEADING, n_iter=4, random_state=0)
    variances = sizes**2 / len(rows)
    total = float((rows**2).sum()) / len(rows)
    # A pool of fewer images than dimensions spans no more than one direction less than it has images.
    rest = (total - float(variances.sum())) / (min(pool.dim, len(rows) - 1) - LEADING)
    total_variance = total - float(variances.sum()) + LEADING * rest
    if total_variance <= LEAST_LEFT * total:
        return None
    widths = rest / variances - 1
    return Axes(directions.astype(np.float32), widths.astype(np.float32), total / total_variance)
