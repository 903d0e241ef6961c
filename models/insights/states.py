"""Which of several properties an image has, as probabilities of every set of them.

Properties go together (a face and a smile), which probabilities of each alone do not say. How far they do is learned
from all images: within titles, calibrated probabilities of two properties covary less than the properties, by the
product of their reliabilities, if the probes err independently on one image (Spearman 1904).
"""

from __future__ import annotations

import numpy as np

from attune.models.insights.outcomes import Floats, Ints

ROUNDS = 20
LEAST_RELIABLE = 0.05  # a probe that says nothing of a property says nothing of what goes with it


def which_properties(properties: int) -> Floats:
    """(2^k, k): whether a set has each property; the first set has none."""
    numbers = np.arange(2**properties)
    has: Floats = ((numbers[:, None] >> np.arange(properties)) & 1).astype(np.float64)
    return has


def without(states: Floats, one: int) -> Floats:
    """(n, 2^k): the probability of the other properties of each set, whether property ``one`` is there or not."""
    return np.asarray(states + states[:, np.arange(states.shape[1]) ^ (1 << one)], dtype=np.float64)


def sets(states: int, properties: int) -> Floats:
    """(states, properties): whether a state has each property; of k + 1 states none, or one property alone."""
    if states != properties + 1:
        return which_properties(properties)
    return np.vstack([np.zeros(properties), np.eye(properties)])


def change(states: Floats, one: int, properties: int) -> Floats:
    """(n, states): how the probabilities of the states move with that of property ``one``.

    Free properties: the others stay as they are. Classes: the image is that class and no longer none of them.
    """
    has = sets(states.shape[1], properties)[:, one]
    if states.shape[1] != properties + 1:
        return np.asarray(without(states, one) * (2 * has - 1), dtype=np.float64)
    moved = np.broadcast_to(has - (np.arange(len(has)) == 0), states.shape)
    return np.asarray(np.where(np.isnan(states), np.nan, moved), dtype=np.float64)


def exclusive(p: Floats) -> Floats:
    """States (n, k + 1) of images that are in none or one of the classes with probabilities ``p`` (n, k).

    Where probabilities that were calibrated apart come to more than 1, all are made smaller alike. NaN stays NaN.
    """
    p = p / np.maximum(p.sum(axis=1, keepdims=True), 1.0)
    return np.asarray(np.hstack([np.maximum(1 - p.sum(axis=1, keepdims=True), 0.0), p]), dtype=np.float64)


def independent(p: Floats) -> Floats:
    """States (n, 2^k) of properties with probabilities ``p`` (n, k) that have nothing to do with each other."""
    has = which_properties(p.shape[1])
    return np.asarray(np.where(has == 1, p[:, None, :], 1 - p[:, None, :]).prod(axis=2), dtype=np.float64)


def together(p: Floats, title: Ints) -> Floats:
    """States (n, 2^k) of images of ``title`` (n,) with calibrated probabilities ``p`` (n, k). NaN stays NaN.

    The covariance of two properties of an image is in proportion to both variances (Sarmanov 1966); where that would
    make a probability negative, it is 0, and the others rise until the properties meet as often as they should.
    """
    alone = independent(p)
    known = np.isfinite(p).all(axis=1)
    has, sure = which_properties(p.shape[1]), p[known]
    pairs = [(one, other) for one in range(p.shape[1]) for other in range(one)]
    more = _covariances(sure, title[known], pairs)
    unsure = np.array([(sure[:, one] * (1 - sure[:, one]) * sure[:, other] * (1 - sure[:, other])).mean()
                       for one, other in pairs])  # fmt: skip
    scale = more / np.maximum(unsure, 1e-12)
    states = alone[known]
    for _ in range(ROUNDS if pairs else 0):
        factor = np.ones_like(states)
        for (one, other), size in zip(pairs, scale, strict=True):
            factor += size * (has[:, one] - sure[:, [one]]) * (has[:, other] - sure[:, [other]])
        states = alone[known] * np.maximum(factor, 0.0)
        states /= states.sum(axis=1, keepdims=True)
        meet = np.array([(states @ (has[:, one] * has[:, other]) - sure[:, one] * sure[:, other]).mean()
                         for one, other in pairs])  # fmt: skip
        scale *= np.clip(np.divide(more, meet, out=np.ones_like(more), where=meet * more > 0), 0.5, 2.0)
    alone[known] = states
    return alone


def _covariances(p: Floats, title: Ints, pairs: list[tuple[int, int]]) -> Floats:
    """For each of ``pairs``, how much more its properties covary within titles than their probabilities do."""
    covariance = _within(p, title)
    reliable = np.diag(covariance) / np.maximum(np.diag(covariance) + (p * (1 - p)).mean(axis=0), 1e-300)
    both = [max(LEAST_RELIABLE, float(reliable[one] * reliable[other])) for one, other in pairs]
    return np.array([covariance[pair] * (1 / share - 1) for pair, share in zip(pairs, both, strict=True)])


def _within(p: Floats, title: Ints) -> Floats:
    """Covariances (k, k) of ``p`` within titles."""
    place = np.unique(title, return_inverse=True)[1].reshape(-1)
    images = np.bincount(place)
    apart = p - np.stack([np.bincount(place, column) / images for column in p.T], axis=1)[place]
    return np.asarray(apart.T @ apart / max(len(p) - len(images), 1), dtype=np.float64)
