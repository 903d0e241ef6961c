"""The peers' ways to choose, through their own packages where they have one."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.label_efficiency.state import Query, State, scores

Indices = npt.NDArray[np.intp]


def random(estimator: Any, state: State, n: int) -> Indices:
    """Images at random."""
    return state.rng.choice(state.open, n, replace=False)


def modal(name: str) -> Query:
    """A query function of modAL, run by its ActiveLearner."""

    def query(estimator: Any, state: State, n: int) -> Indices:
        from modAL import batch, uncertainty
        from modAL.models import ActiveLearner

        function = getattr(uncertainty, name, None) or getattr(batch, name)
        # Without X_training the constructor takes the estimator as it was fitted; ranked batches want the rows.
        learner = ActiveLearner(estimator=estimator, query_strategy=function)
        learner.X_training = state.x
        chosen, _rows = learner.query(state.task.pool[state.open], n_instances=n)
        return state.open[np.asarray(chosen, dtype=np.intp)]

    return query


def skactiveml(name: str, **settings: Any) -> Query:
    """A pool strategy of scikit-activeml."""

    def query(estimator: Any, state: State, n: int) -> Indices:
        import skactiveml.pool

        kind = getattr(skactiveml.pool, name)
        more = dict(settings)
        if "cluster_algo_dict" in inspect.signature(kind).parameters:
            more.setdefault("cluster_algo_dict", {"random_state": state.seed})
        strategy = kind(random_state=state.seed, **more)
        y = np.full(len(state.task.y), np.nan)
        y[state.asked] = state.y
        known = inspect.signature(strategy.query).parameters
        arguments: dict[str, Any] = {"clf": _wrapped(estimator)} if "clf" in known else {}
        if "fit_clf" in known:
            arguments["fit_clf"] = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(strategy.query(state.task.pool, y, batch_size=n, **arguments), dtype=np.intp)

    return query


def _wrapped(estimator: Any) -> Any:
    """A fitted estimator as scikit-activeml wants it."""
    from skactiveml.base import SkactivemlClassifier

    class Wrapped(SkactivemlClassifier):  # type: ignore[misc]
        def __init__(self, missing_label: float = np.nan) -> None:
            super().__init__(classes=None, missing_label=missing_label)
            self.classes_ = np.array([0.0, 1.0])

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> Any:
            return np.asarray(estimator.predict_proba(np.asarray(X, dtype=np.float32)))

        def predict(self, X: Any) -> Any:
            return self.predict_proba(X).argmax(axis=1).astype(float)

    return Wrapped()


def four_feeds(estimator: Any, state: State, n: int) -> Indices:
    """Video Annotator: a quarter each of top positive, top negative, borderline and random (arXiv 2402.06560)."""
    opened = state.open
    p = scores(estimator, state.task.pool[opened])
    feeds = [np.argsort(-p), np.argsort(p), np.argsort(np.abs(p - 0.5)), state.rng.permutation(len(p))]
    chosen: list[int] = []
    while len(chosen) < n:
        feed = feeds[len(chosen) % 4]
        chosen.append(next(int(i) for i in feed if int(i) not in chosen))
    return opened[chosen]


def margin(estimator: Any, state: State, n: int) -> Indices:
    """Agile Modeling's rounds: the images closest to the border (arXiv 2302.12948)."""
    opened = state.open
    return opened[np.argsort(np.abs(scores(estimator, state.task.pool[opened]) - 0.5), kind="stable")[:n]]


def highest(estimator: Any, state: State, n: int) -> Indices:
    """The highest scores: what a person sees first who sorts by similarity and corrects."""
    opened = state.open
    return opened[np.argsort(-scores(estimator, state.task.pool[opened]), kind="stable")[:n]]
