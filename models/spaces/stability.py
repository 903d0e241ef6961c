"""How far clusters are the pool's own, and how far chance's: each made again from other samples, and compared.

Per cluster: the mean best Jaccard overlap over bootstrap samples (Hennig, Computational Statistics & Data Analysis 52,
2007); below .5 a cluster "dissolves" there, and here it is called loose. Per k: the adjusted Rand index of pairs of
clusterings of two samples, on the assets they share (Ben-Hur et al., PSB 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_rand_score

from attune.models.spaces.clustering import find_centres, nearest_centre
from attune.models.spaces.matching import jaccard, shared_counts
from attune.models.vectors.products import FloatArray

DRAWS = 10
CHOICES = (6, 8, 12, 16, 24, 32, 48)  # numbers of clusters that are tried
SHARE = 0.8  # of the rows, in each of the two samples that a number is tried on
PAIRS = 3
CHOICE_ROWS = 20_000  # that suffice to compare numbers of clusters
BOOTSTRAP, CHOOSING = 7, 8  # streams of random numbers

Step = Callable[[], None]


def cluster_stability(
    rows: FloatArray, centres: FloatArray, seed: int = 0, draws: int = DRAWS, step: Step = lambda: None
) -> npt.NDArray[np.float64]:
    """For each of ``centres`` (k, m) its mean best Jaccard overlap (k,), from 0 to 1, over ``draws`` bootstrap samples
    of ``rows`` (n, m). ``step`` is called after each."""
    k = len(centres)
    if not k:
        return np.zeros(0)
    labels = nearest_centre(rows, centres)
    found = np.full((draws, k), np.nan)
    for draw in range(draws):
        rng = np.random.default_rng([seed, BOOTSTRAP, draw])
        drawn = np.unique(rng.integers(len(rows), size=len(rows)))
        others = find_centres(rows[drawn], k)
        shared = shared_counts(labels[drawn], nearest_centre(rows[drawn], others), (k, len(others)))
        present = shared.sum(axis=1) > 0  # a small cluster may have nobody in a sample
        found[draw, present] = jaccard(shared).max(axis=1)[present]
        step()
    counted = np.maximum((~np.isnan(found)).sum(axis=0), 1)
    mean: npt.NDArray[np.float64] = np.nansum(found, axis=0) / counted
    return mean


def agreement_by_k(
    rows: FloatArray, choices: Sequence[int] = CHOICES, seed: int = 0, step: Step = lambda: None
) -> dict[int, float]:
    """For each possible number of clusters the mean adjusted Rand index of ``PAIRS`` pairs of clusterings.

    Each is of ``SHARE`` of ``rows`` (n, m), drawn apart, and compared on what the pair shares. Numbers that would leave
    fewer than ten rows a cluster are not tried. ``step`` is called after each number.
    """
    rng = np.random.default_rng([seed, CHOOSING])
    if len(rows) > CHOICE_ROWS:
        rows = rows[np.sort(rng.choice(len(rows), CHOICE_ROWS, replace=False))]
    agreement: dict[int, float] = {}
    for k in choices:
        if 10 * k <= len(rows):
            agreement[k] = float(np.mean([_agreement(rows, k, rng) for _ in range(PAIRS)]))
        step()
    return agreement


def _agreement(rows: FloatArray, k: int, rng: np.random.Generator) -> float:
    size = int(SHARE * len(rows))
    samples = [np.sort(rng.choice(len(rows), size, replace=False)) for _ in range(2)]
    shared = np.intersect1d(samples[0], samples[1], assume_unique=True)
    centres = [find_centres(rows[sample], k) for sample in samples]
    first, second = (nearest_centre(rows[shared], found) for found in centres)
    return float(adjusted_rand_score(first, second))


def most_stable(agreement: Mapping[int, float], usual: int) -> int:
    """The number of clusters whose clusterings agree most; the smaller of two, and ``usual`` where none was tried."""
    return max(sorted(agreement), key=lambda k: agreement[k]) if agreement else usual
