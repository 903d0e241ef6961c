"""Which features go with takes, across titles and all at once. Grade D: it predicts, and does not explain.

Gradient boosting and a sparse linear model (the lasso, Tibshirani 1996) learn how much more an image is taken than an
average one of the same canvas and period. Both are asked about titles that they did not learn from: a title's images
are alike, so folds of images would flatter. What a feature adds is how much worse the prediction gets when its values
change places among these images (Breiman 2001); features that go together share it. Intervals are over folds, by
Student's t, with the variance corrected for what the folds share of what they learned from (Nadeau and Bengio 2003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints
from attune.models.insights.row_parts import Parts
from attune.models.threads import one_thread_of_each

LEAST_TITLES = 60
FOLDS, INNER, REPEATS, LEVEL = 10, 4, 5, 0.95
LEAST_SPREAD = 0.01  # variance of log rates over titles: impressions alone never decide a weight
BOOSTING, LINEAR = "boosting", "linear"


@dataclass(frozen=True)
class Share:
    """A mean over folds with its interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, folds: Floats) -> Share:
        """Of values (folds,) of a cross-validation, of which each learns from all others."""
        variance = folds.var(ddof=1) * (1 / len(folds) + 1 / (len(folds) - 1))  # images asked over those learned from
        half = float(stdtrit(len(folds) - 1, (1 + LEVEL) / 2) * np.sqrt(variance))
        middle = float(folds.mean())
        return cls(middle, middle - half, middle + half)


@dataclass(frozen=True)
class Learned:
    """``explains``: the share of how much other titles' images differ that a model predicts; below 0, it predicts worse
    than the average. ``adds``: how much of that each feature adds. Both by model."""

    explains: Mapping[str, Share]
    adds: Mapping[str, Mapping[str, Share]]
    titles: int
    assets: int


def target(rows: Parts, assets: int) -> tuple[Floats, Floats, Ints]:
    """Of each asset (assets,): the log of its takes over those expected at the rate of its strata; the weight that
    this has; and its title. Strata with one title are left out, since it would be compared with itself: assets without
    other impressions have the weight 0 and title -1.
    """
    rows = rows.chosen(lambda part: part.impressions > 0)
    strata = 1 + max((int(part.canvas.max()) for part in rows.parts()), default=-1)
    titles, takes, shown = np.zeros(strata), np.zeros(strata), np.zeros(strata)
    for part in rows.parts():
        titles += np.bincount(part.canvas[part.cell_starts()], minlength=strata)
        takes += np.bincount(part.canvas, part.takes, minlength=strata)
        shown += np.bincount(part.canvas, part.impressions, minlength=strata)
    rate = takes / np.maximum(shown, 1)
    wanted, taken = np.zeros(assets), np.zeros(assets)
    title = np.full(assets, -1, dtype=np.intp)
    for part in rows.chosen(lambda part: titles[part.canvas] > 1).parts():
        wanted += np.bincount(part.asset, part.impressions * rate[part.canvas], minlength=assets)
        taken += np.bincount(part.asset, part.takes, minlength=assets)
        title[part.asset] = part.title
    log = np.log((taken + 0.5) / (wanted + 0.5))
    seen = wanted > 0
    noise = 1 / (wanted + 0.5)
    spread = max(float(log[seen].var() - noise[seen].mean()), LEAST_SPREAD) if seen.any() else 1.0
    return log, np.where(seen, 1 / (noise + spread), 0.0), title


def learn(
    features: Mapping[str, Floats], log: Floats, weight: Floats, title: Ints, seed: int = 0,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Learned:  # fmt: skip
    """What ``features``, each (n, columns) with NaN where unknown, say of ``log`` (n,) with ``weight`` (n,) above 0, on
    titles that were not learned from. ``title`` is (n,). ``step`` is called after each fold.

    Raises NotEnoughLabels for fewer than ``LEAST_TITLES`` titles, or without a feature.
    """
    titles = len(np.unique(title))
    if titles < LEAST_TITLES or not features:
        raise NotEnoughLabels(
            f"{titles} titles have performance beside another title on the same canvas and period, and there are "
            f"{len(features)} features. At least {LEAST_TITLES} titles and one feature are needed. Add more data."
        )
    import sklearn.ensemble  # noqa: F401  its threads can be held at one once it is loaded
    from sklearn.model_selection import GroupKFold

    x = np.hstack([np.asarray(one, dtype=np.float64).reshape(len(log), -1) for one in features.values()])
    ends = np.cumsum([np.asarray(one).reshape(len(log), -1).shape[1] for one in features.values()])
    columns = dict(zip(features, np.split(np.arange(x.shape[1]), ends[:-1]), strict=True))
    rng = np.random.default_rng(seed)
    explains: dict[str, list[float]] = {BOOSTING: [], LINEAR: []}
    adds: dict[str, dict[str, list[float]]] = {BOOSTING: {}, LINEAR: {}}
    with one_thread_of_each():
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed).split(x, groups=title)
        for done, (inside, outside) in enumerate(folds, start=1):
            models: dict[str, Any] = {BOOSTING: _Boosting(seed), LINEAR: _Linear(seed)}
            for name, model in models.items():
                model.fit(x[inside], log[inside], weight[inside], title[inside])
                whole = _share_explained(model.predict(x[outside]), log[outside], weight[outside])
                explains[name].append(whole)
                for feature, places in columns.items():
                    moved = np.vstack([_shuffled(x[outside], places, rng) for _ in range(REPEATS)])
                    # Asked together: a call costs as much as many rows.
                    said = model.predict(moved).reshape(REPEATS, -1)
                    less = [_share_explained(one, log[outside], weight[outside]) for one in said]
                    adds[name].setdefault(feature, []).append(whole - float(np.mean(less)))
            step(done, FOLDS)
    return Learned(
        {name: Share.of(np.array(values)) for name, values in explains.items()},
        {name: {one: Share.of(np.array(values)) for one, values in each.items()} for name, each in adds.items()},
        titles, len(log),
    )  # fmt: skip


def _share_explained(said: Floats, log: Floats, weight: Floats) -> float:
    """The share of the weighted variance that is predicted by what a model ``said``."""
    missed = np.average((log - said) ** 2, weights=weight)
    return float(1 - missed / np.average((log - np.average(log, weights=weight)) ** 2, weights=weight))


def _shuffled(x: Floats, places: Ints, rng: np.random.Generator) -> Floats:
    """The columns ``places`` change places among the rows, together."""
    moved = x.copy()
    moved[:, places] = x[rng.permutation(len(x))][:, places]
    return moved


class _Boosting:
    """Small trees, few of them: titles are few, and what is learned of one must hold for others."""

    def __init__(self, seed: int) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self.model = HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=100, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False,
            random_state=seed,
        )  # fmt: skip

    def fit(self, x: Floats, log: Floats, weight: Floats, title: Ints) -> None:
        self.model.fit(x, log, sample_weight=weight)

    def predict(self, x: Floats) -> Floats:
        return np.asarray(self.model.predict(x), dtype=np.float64)


class _Linear:
    """The lasso with a penalty chosen on other titles; unknown values are the mean."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, x: Floats, log: Floats, weight: Floats, title: Ints) -> None:
        from sklearn.linear_model import LassoCV
        from sklearn.model_selection import GroupKFold

        known = np.isfinite(x)
        counts = np.maximum(known.sum(axis=0), 1)
        self.mean = np.where(known, x, 0.0).sum(axis=0) / counts
        filled = self._filled(x)
        deviation = filled.std(axis=0)
        self.scale = np.where(deviation > 0, deviation, 1.0)
        folds = list(GroupKFold(INNER, shuffle=True, random_state=self.seed).split(x, groups=title))
        self.model = LassoCV(alphas=30, cv=folds, max_iter=5000)
        self.model.fit((filled - self.mean) / self.scale, log, sample_weight=weight)

    def predict(self, x: Floats) -> Floats:
        scaled = (self._filled(x) - self.mean) / self.scale
        return np.asarray(self.model.predict(scaled), dtype=np.float64)

    def _filled(self, x: Floats) -> Floats:
        return np.where(np.isfinite(x), x, self.mean)
