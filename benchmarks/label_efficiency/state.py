"""What a method knows in the middle of a campaign, and the form of a method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.label_efficiency.tasks import Task


@dataclass(eq=False)
class State:
    """A campaign so far: the task, what was asked in order, the seed, and a generator of its own."""

    task: Task
    asked: list[int]
    seed: int
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, 99])

    @property
    def x(self) -> npt.NDArray[np.float32]:
        """The asked vectors (n, d)."""
        return self.task.pool[self.asked]

    @property
    def y(self) -> npt.NDArray[np.intp]:
        """Their answers (n,)."""
        return self.task.y[self.asked]

    @property
    def open(self) -> npt.NDArray[np.intp]:
        """The indices nobody was asked about."""
        left = np.ones(len(self.task.y), dtype=bool)
        left[self.asked] = False
        return np.flatnonzero(left)


class Estimator(Protocol):
    """A fitted classifier: ``predict_proba`` (n, 2), the second column for the positive class."""

    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]: ...


Fit = Callable[[State], Any]
Query = Callable[[Any, State, int], npt.NDArray[np.intp]]


@dataclass(frozen=True)
class Method:
    """A learner under test: how it fits, and which images it asks about next."""

    fit: Fit
    query: Query


def scores(estimator: Any, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The positive class's score (n,) of a fitted estimator."""
    return np.asarray(estimator.predict_proba(x), dtype=np.float64)[:, 1]
