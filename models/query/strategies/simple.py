"""Strategies that look at one candidate at a time: random, margin, entropy, likely."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from attune.models.query.strategies.base import Picked, Rows, best, checked


@checked
def random(_: Any, X: Rows, n_instances: int, rng: np.random.Generator, **_kw: Any) -> Picked:
    """Candidates in random order: the control that every other strategy must beat."""
    return best(rng.random(len(X)), n_instances, rng)


@checked
def margin(
    estimator: Any, X: Rows, n_instances: int, rng: np.random.Generator, threshold: float = 0.0, **_: Any
) -> Picked:
    """The smallest gap between the two likeliest classes (Scheffer et al., IDA 2001; strong on foundation features,
    arXiv 2401.14555). For two classes the gap is measured from the logit ``threshold``, not from 0 alone.
    """
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    if probabilities.shape[1] == 2:
        clipped = np.clip(probabilities[:, 0], 1e-12, 1 - 1e-12)
        gap = np.abs(np.log(clipped) - np.log1p(-clipped) - threshold)
        return best(np.exp(-gap), n_instances, rng)
    top = np.sort(probabilities, axis=1)[:, -2:]
    return best(1 - (top[:, 1] - top[:, 0]), n_instances, rng)


@checked
def entropy(estimator: Any, X: Rows, n_instances: int, rng: np.random.Generator, **_: Any) -> Picked:
    """The most uncertain prediction over all classes, by Shannon entropy in nats (Settles, TR 1648, 2009)."""
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return best(-xlogy(probabilities, probabilities).sum(axis=1), n_instances, rng)


@checked
def likely(estimator: Any, X: Rows, n_instances: int, rng: np.random.Generator, positive: int = 0, **_: Any) -> Picked:
    """The candidates likeliest to be of the class at position ``positive`` (active search; certainty sampling in
    Attenberg and Ertekin, "Class imbalance and active learning", 2013): how a rare class is found at all.
    """
    return best(np.asarray(estimator.predict_proba(X))[:, positive], n_instances, rng)
