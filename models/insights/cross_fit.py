"""Probabilities that are checked against audits of other titles only.

Cross-fitting (Chernozhukov et al. 2018): titles are divided into folds, and each fold's probabilities are calibrated by
the audits of the others. What an answer taught is then never used to correct with that same answer, and the corrected
effect stays unbiased however poor the calibration is. A good calibration makes it narrow.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from attune.models.insights.outcomes import Floats, Ints
from attune.models.insights.probed import Probed
from attune.models.threads import one_thread

FOLDS = 5
SURE = 1e-6  # a probability of 0 or 1 has no logit
# Standard deviations of log(slope), the offset, and the slopes on the title's score, its popularity, performance, and
# another feature: a few answers change little.
PRIOR_SD = np.array([1.5, 5.0, 1.0, 1.0, 1.0, 1.0])
STEEPEST = 6.0  # of log(slope)


def cross_fitted(
    attribute: Probed, title: Ints, popularity: Floats, performance: Floats | None = None, seed: int = 0,
    beside: Floats | None = None,
) -> Floats:  # fmt: skip
    """Calibrated probabilities (assets,), NaN where there is no score.

    ``title`` (assets,) decides the folds. The calibration knows the mean score of the title's images and the title's
    ``popularity`` (assets,): images of one title are alike, and would err together without them. With ``performance``
    (assets,) it knows how well an image was taken, so a probe with errors that follow performance is calibrated, too.
    ``beside`` (assets,) is another feature, NaN where unknown: images that have it may have the property more often
    than their scores say.
    """
    taken = np.zeros(len(title)) if performance is None else performance
    other = np.zeros(len(title)) if beside is None else _standard(beside)
    features = _features(attribute.probability, title, popularity, taken, other)
    fold = _folds(title, seed)
    weight = 1 / attribute.inclusion
    calibrated = np.full(len(title), np.nan)
    for one in range(FOLDS):
        kept = fold[attribute.audited] != one
        at = _fit(features[attribute.audited[kept]], attribute.answer[kept], weight[kept])
        mine = fold == one
        calibrated[mine] = expit(_linear(at, features[mine]))
    return calibrated


def _standard(values: Floats) -> Floats:
    """In standard deviations from the mean (assets,); 0 where unknown."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    middle, spread = float(values[known].mean()), float(values[known].std())
    return np.where(known, (values - middle) / (spread or 1.0), 0.0)


def _features(probability: Floats, title: Ints, popularity: Floats, performance: Floats, beside: Floats) -> Floats:
    """Logit, 1, how far the title's mean logit is from it, popularity, performance and another feature, (assets, 6)."""
    score = logit(np.clip(probability, SURE, 1 - SURE))
    known = np.isfinite(score)
    place = np.unique(title, return_inverse=True)[1].reshape(-1)
    images = np.bincount(place, known)
    mean = np.bincount(place, np.where(known, score, 0.0)) / np.maximum(images, 1)
    columns = [score, np.ones(len(score)), mean[place] - score, popularity, performance, beside]
    return np.stack(columns, axis=1)


def _folds(title: Ints, seed: int) -> Ints:
    names, place = np.unique(title, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    folds: Ints = (order % FOLDS)[place.reshape(-1)]
    return folds


def _linear(at: Floats, features: Floats) -> Floats:
    slopes = np.r_[np.exp(np.clip(at[0], -STEEPEST, STEEPEST)), at[1:]]
    return np.asarray(features @ slopes)


def _fit(features: Floats, answer: Floats, weight: Floats) -> Floats:
    """log(slope) and the other coefficients, (6,): penalised logistic regression, weighted by 1 / inclusion.

    The loss is linear in the answer, so unbiased answers outside 0 to 1 are allowed.
    """
    if not len(answer):
        return np.zeros(len(PRIOR_SD))
    # Uneven weights hold less information than their number says (Kish): the priors must know.
    scaled = weight * weight.sum() / (weight**2).sum()

    def loss(at: Floats) -> tuple[float, Floats]:
        z = _linear(at, features)
        value = float((scaled * (np.logaddexp(0, z) - answer * z)).sum() + 0.5 * ((at / PRIOR_SD) ** 2).sum())
        by = features.T @ (scaled * (expit(z) - answer))
        by[0] *= np.exp(np.clip(at[0], -STEEPEST, STEEPEST))
        return value, by + at / PRIOR_SD**2

    from scipy.optimize import minimize  # a third of a second, in the console, which fits nothing

    with one_thread():
        found = minimize(loss, np.zeros(len(PRIOR_SD)), jac=True, method="L-BFGS-B").x
    return np.asarray(found, dtype=np.float64)
