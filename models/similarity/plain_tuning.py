"""The penalties of the plain ways that a space is measured beside, chosen like its own settings: in the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.similarity.label_maps import logistic_map, ridge_map
from attune.models.similarity.neighbour_measures import measure_lists
from attune.models.similarity.taste_tuning import Fold, folds, gain
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
RIDGES = (0.1, 0.3, 1.0, 3.0)
CS = (0.001, 0.003, 0.01)  # a larger one penalises less


@dataclass(frozen=True)
class PlainSettings:
    """``ridge``: penalty of the regression for each row; ``c``: the inverse penalty of each logistic regression.

    ``tuned``: whether they were chosen for these labels, or are the usual ones.
    """

    ridge: float = 1.0
    c: float = 0.003
    tuned: bool = False

    def facts(self) -> dict[str, Any]:
        """For a manifest and a card."""
        return {"ridge": self.ridge, "c": self.c, "tuned": self.tuned}


def tune_plain(
    vectors: npt.ArrayLike, labels: npt.ArrayLike, titles: npt.ArrayLike, components: int, seed: int = 0
) -> PlainSettings:
    """Penalties by cross-validation over titles on these rows alone: vectors (n, d), labels (n, k), titles (n,).

    The folds, and the mean gain over the raw vectors, are those by which a space's settings are chosen.
    """
    parts = list(folds(vectors, labels, titles, components, seed))
    ridge = max(RIDGES, key=lambda one: _gained(parts, lambda x, given: ridge_map(x, given, one)))
    c = max(CS, key=lambda one: _gained(parts, lambda x, given: logistic_map(x, given, one)))
    return PlainSettings(ridge, c, True)


def _gained(parts: Sequence[Fold], learn: Callable[[Floats, Floats], Floats]) -> float:
    gains = []
    for part in parts:
        projection = learn(part.axes.features(part.x), part.labels)
        seen = unit_length(part.axes.features(part.held_x) @ projection.T)
        gains.append(gain(measure_lists(seen, part.held_titles, part.held_labels), part.raw))
    return float(np.mean(gains))
