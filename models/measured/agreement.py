"""How often people agree with a measured class, over all images, from audits that were drawn class by class.

Within a class all images were drawn with about the same chance, so the answers there stand for the class (weights
1 / inclusion take the rest), and the classes are put together by how many images each has: stratified sampling (Cochran
1977, chapter 5). Intervals come from Beta posteriors with Jeffreys' prior, a class each, which hold where everybody
agrees, too; a title's images err together, so answers count less by the design effect of titles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.intervals import LEVEL

DRAWS = 4000
LEAST = 10  # answers, below which nothing is said
MOST_UNKNOWN = 0.01  # share of images in classes without an answer, above which nothing is said of all images

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Agreement:
    """``value`` the share of all images on which people agree, with its 95 % interval; None below ``LEAST`` answers,
    and where more than ``MOST_UNKNOWN`` of the images are of classes in which nobody answered, ``unknown``.

    ``by_class`` holds the same for the images of each measured class (None where it has no answer): ``value``, ``lo``,
    ``hi``. ``confusion`` (classes, classes) counts answers: a row is what was measured, a column what people say.
    """

    n: int
    value: float | None
    lo: float | None
    hi: float | None
    by_class: tuple[tuple[float, float, float] | None, ...]
    confusion: tuple[tuple[int, ...], ...]
    unknown: tuple[int, ...] = ()


def agreement(
    measured: Ints, said: Ints, inclusion: Floats, titles: npt.NDArray[np.str_], images: Ints, seed: int = 0
) -> Agreement:
    """Of n answered images: the place of the class that was ``measured`` and ``said`` (n,), their ``inclusion`` (n,) in
    the draw and ``titles`` (n,); ``images`` (classes,) says how many images of the pool have each class."""
    classes, n = len(images), len(measured)
    confusion = np.zeros((classes, classes), dtype=int)
    np.add.at(confusion, (measured, said), 1)
    weight = 1 / inclusion
    agrees = (measured == said).astype(np.float64)
    total = np.bincount(measured, weight, minlength=classes)
    there = total > 0
    share = np.bincount(measured, weight * agrees, minlength=classes) / np.where(there, total, 1.0)
    effect = _design_effect(agrees - share[measured], titles)
    # Uneven weights hold less information than their number says (Kish 1965).
    size = total**2 / np.where(there, np.bincount(measured, weight**2, minlength=classes), 1.0) / effect
    rng = np.random.default_rng([seed, 9])
    drawn = rng.beta(share * size + 0.5, (1 - share) * size + 0.5, size=(DRAWS, classes))
    known = images * there
    tail = (1 - LEVEL) / 2
    each = np.quantile(drawn, [tail, 1 - tail], axis=0)
    lows, highs = np.minimum(each[0], share), np.maximum(each[1], share)
    by_class = tuple(
        (float(share[k]), float(lows[k]), float(highs[k])) if there[k] else None for k in range(classes)
    )  # fmt: skip
    rows = tuple(tuple(int(count) for count in row) for row in confusion)
    unknown = tuple(int(one) for one in np.flatnonzero(~there & (images > 0)))
    if n < LEAST or not known.sum() or images[~there].sum() > MOST_UNKNOWN * images.sum():
        return Agreement(n, None, None, None, by_class, rows, unknown)
    parts = known / known.sum()
    value = float(share @ parts)
    lo, hi = np.quantile(drawn @ parts, [tail, 1 - tail])
    return Agreement(n, value, min(float(lo), value), max(float(hi), value), by_class, rows, unknown)


def _design_effect(residual: Floats, titles: npt.NDArray[np.str_]) -> float:
    """By how much the titles' images err together: the variance of titles' sums over that of images, at least 1."""
    own = float((residual**2).sum())
    if own <= 0:
        return 1.0
    place = np.unique(titles, return_inverse=True)[1].reshape(-1)
    return max(1.0, float((np.bincount(place, residual) ** 2).sum()) / own)
