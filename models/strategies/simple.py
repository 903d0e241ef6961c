"""Strategies that look at one candidate at a time: random, margin, entropy, likely."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from models.strategies.base import Picked, best, check_candidates, generator


def random(estimator: Any, X: npt.NDArray[Any], n_instances: int = 1, random_state: Any = None, **_: Any) -> Picked:
    """Candidates in random order: the control that every other strategy must beat."""
    check_candidates(X, n_instances)
    rng = generator(random_state)
    return best(rng.random(len(X)), n_instances, rng)


def margin(
    estimator: Any,
    X: npt.NDArray[Any],
    n_instances: int = 1,
    random_state: Any = None,
    threshold: float = 0.0,
    **_: Any,
) -> Picked:
    """The smallest gap between the two likeliest classes (Scheffer et al., IDA 2001; strong on foundation features,
    arXiv 2401.14555). For two classes the gap is measured from the logit ``threshold``, not from 0 alone.
    """
    check_candidates(X, n_instances)
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    if probabilities.shape[1] == 2:
        clipped = np.clip(probabilities[:, 0], 1e-12, 1 - 1e-12)
        gap = np.abs(np.log(clipped) - np.log1p(-clipped) - threshold)
        return best(np.exp(-gap), n_instances, generator(random_state))
    top = np.sort(probabilities, axis=1)[:, -2:]
    return best(1 - (top[:, 1] - top[:, 0]), n_instances, generator(random_state))


def entropy(estimator: Any, X: npt.NDArray[Any], n_instances: int = 1, random_state: Any = None, **_: Any) -> Picked:
    """The most uncertain prediction over all classes, by Shannon entropy in nats (Settles, TR 1648, 2009)."""
    check_candidates(X, n_instances)
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return best(-xlogy(probabilities, probabilities).sum(axis=1), n_instances, generator(random_state))


def likely(
    estimator: Any, X: npt.NDArray[Any], n_instances: int = 1, random_state: Any = None, positive: int = 0, **_: Any
) -> Picked:
    """The candidates likeliest to be of the class at position ``positive`` (active search; certainty sampling in
    Attenberg and Ertekin, "Class imbalance and active learning", 2013): how a rare class is found at all.
    """
    check_candidates(X, n_instances)
    return best(np.asarray(estimator.predict_proba(X))[:, positive], n_instances, generator(random_state))
