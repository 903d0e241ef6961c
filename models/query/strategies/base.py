"""The strategy protocol (modAL's) and what all strategies share: the checks, and picking the best.

A strategy is a callable ``(estimator, X, n_instances=1, random_state=None, **kw) -> (indices, utilities)``: ``X``
(m, d) float32 are the candidates; ``indices`` (n_instances,) intp are distinct rows of it, best first;
``utilities`` (n_instances,) float64 belong to them, higher means ask sooner. Always the pair: modAL 0.4.2 calls a
strategy that returns only indices a second time. Each raises EmptyPool or PoolExhausted before it computes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from attune.models.errors import EmptyPool, PoolExhausted

Rows = npt.NDArray[Any]
Picked = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]


class Strategy(Protocol):
    """Anything that can say which of the candidates to ask about next."""

    def __call__(
        self, estimator: Any, X: npt.NDArray[Any], n_instances: int = 1, random_state: Any = None, **kw: Any
    ) -> Picked: ...


def check_candidates(X: npt.NDArray[Any], n_instances: int) -> None:
    """Refuse a query that cannot be answered. Raises EmptyPool, or PoolExhausted with both numbers."""
    if len(X) == 0:
        raise EmptyPool(
            f"{n_instances} candidates requested, but 0 are available: every asset has been asked about. Add "
            "images: `attune assets add PATH`"
        )
    if n_instances > len(X):
        raise PoolExhausted(
            f"{n_instances} candidates requested, but only {len(X)} are available. Request at most {len(X)}, or "
            "add images: `attune assets add PATH`"
        )


def checked(choose: Callable[..., Picked]) -> Strategy:
    """The strategy whose query ``choose(estimator, X, n_instances, rng, **kw)`` answers, after the checks of all."""

    def strategy(
        estimator: Any, X: npt.NDArray[Any], n_instances: int = 1, random_state: Any = None, **kw: Any
    ) -> Picked:
        check_candidates(X, n_instances)
        return choose(estimator, X, n_instances, generator(random_state), **kw)

    strategy.__name__, strategy.__doc__, strategy.__module__ = choose.__name__, choose.__doc__, choose.__module__
    return strategy


def best(utilities: npt.NDArray[Any], n_instances: int, rng: np.random.Generator) -> Picked:
    """The ``n_instances`` highest utilities, ties broken at random."""
    values = np.asarray(utilities, dtype=np.float64)
    order = np.lexsort((rng.random(len(values)), -values))[:n_instances]
    return order.astype(np.intp), values[order]


def generator(random_state: Any) -> np.random.Generator:
    """A numpy Generator of a seed, a Generator, a legacy RandomState (modAL passes those) or None (seed 0)."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31))
    return np.random.default_rng(0 if random_state is None else random_state)
