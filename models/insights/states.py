"""Which of several properties an image has, as probabilities of every set of them.

Properties go together (a face and a smile), which probabilities of each alone do not say. How they go together is
learned from all images by expectation maximisation (Dempster, Laird and Rubin 1977), on the assumption that the probes
err independently on one image.
"""

from __future__ import annotations

import numpy as np

from attune.models.insights.outcomes import Floats

ROUNDS, STILL = 200, 1e-8


def which_properties(properties: int) -> Floats:
    """(2^k, k): whether a set has each property; the first set has none."""
    numbers = np.arange(2**properties)
    has: Floats = ((numbers[:, None] >> np.arange(properties)) & 1).astype(np.float64)
    return has


def without(states: Floats, one: int) -> Floats:
    """(n, 2^k): the probability of the other properties of each set, whether property ``one`` is there or not."""
    return np.asarray(states + states[:, np.arange(states.shape[1]) ^ (1 << one)], dtype=np.float64)


def independent(p: Floats) -> Floats:
    """States (n, 2^k) of properties with probabilities ``p`` (n, k) that have nothing to do with each other."""
    has = which_properties(p.shape[1])
    return np.asarray(np.where(has == 1, p[:, None, :], 1 - p[:, None, :]).prod(axis=2), dtype=np.float64)


def together(p: Floats) -> Floats:
    """States (n, 2^k) of properties with probabilities ``p`` (n, k), each from its own probe; NaN stays NaN."""
    alone = independent(p)
    known = np.isfinite(alone).all(axis=1)
    if p.shape[1] == 1 or not known.any():
        return alone
    shares, has = alone[known].mean(axis=0), which_properties(p.shape[1])
    states = alone[known]
    for _ in range(ROUNDS):
        expected = independent((shares @ has)[None, :])[0]
        states = alone[known] * (shares / np.maximum(expected, 1e-300))
        states = states / states.sum(axis=1, keepdims=True)
        before, shares = shares, states.mean(axis=0)
        if np.abs(shares - before).max() < STILL:
            break
    alone[known] = states
    return alone
