"""The classifiers that each peer's users would have, and ours in the same form."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, fit
from attune.models.probes.probe import Probe
from attune.models.vectors.pool import Pool
from benchmarks.label_efficiency.state import State

NO_AUDIT = LearnerSettings(audit_share=0.0, reserved_share=0.0)
CLASSES = ("yes", "no")


def logistic_regression(state: State) -> Any:
    """scikit-learn's default, which is what its users reach for: C = 1."""
    return LogisticRegression(max_iter=1000).fit(state.x, state.y)


def cross_validated(state: State) -> Any:
    """Video Annotator's: 10 values of C, 5 stratified folds, scored by average precision (arXiv 2402.06560)."""
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    model = LogisticRegressionCV(Cs=10, cv=folds, scoring="average_precision", max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three positives make folds without any; it goes on, as theirs does
        return model.fit(state.x, state.y)


def perceptron_with_random_negatives(state: State) -> Any:
    """Agile Modeling's: an MLP on the answers and as many random images taken for negatives (arXiv 2302.12948)."""
    negatives = state.rng.choice(state.open, min(len(state.open), 100), replace=False)
    x = np.concatenate([state.x, state.task.pool[negatives]])
    y = np.concatenate([state.y, np.zeros(len(negatives), dtype=np.intp)])
    model = MLPClassifier((128, 128), max_iter=100, early_stopping=False, random_state=state.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed number of epochs, converged or not
        return model.fit(x, y)


class Rocchio:
    """FiftyOne's few-shot prototype classifier: a sigmoid of the distance to the negatives' centroid less that to the
    positives' (Rocchio 1971; re-implemented after the plugin's default mode).
    """

    def __init__(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        self.positive, self.negative = x[y == 1].mean(axis=0), x[y == 0].mean(axis=0)

    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        gap = np.linalg.norm(X - self.negative, axis=1) - np.linalg.norm(X - self.positive, axis=1)
        p = 1 / (1 + np.exp(-gap.astype(np.float64)))
        return np.column_stack([1 - p, p])


def rocchio(state: State) -> Rocchio:
    """The centroids of what was answered."""
    return Rocchio(state.x, state.y)


class AttuneProbe:
    """Our probe with scikit-learn's order of columns, fitted on a campaign's answers and its pool."""

    def __init__(self, state: State) -> None:
        self.probe = fit(pool_of(state.task), labels_of(state), CLASSES, None, NO_AUDIT, state.seed)
        self.classes_ = np.array([0, 1])

    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return self.probe.predict_proba(X)[:, ::-1]

    def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        return self.predict_proba(X).argmax(axis=1)


def published_heads(
    pool: Pool, others: npt.NDArray[Any], answers: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """The heads (m, d) that a catalogue would hold of the questions whose truths ``others`` (m, n) tell: of each our
    probe from ``answers`` random images of the pool.
    """
    heads = []
    for truth in others.astype(np.intp):
        rows = np.sort(rng.choice(len(truth), min(answers, len(truth)), replace=False))
        probe = Probe(CLASSES, variance=pool.variance).fit(pool.rows(rows), np.eye(2)[1 - truth[rows]])
        heads.append(probe.weight_[0])
    return np.stack(heads)


_pools: dict[int, Pool] = {}


def pool_of(task: Any) -> Pool:
    """The task's pool in the learner's form, one per file, so that what is known of its geometry is kept."""
    key = id(task.half)
    if key not in _pools:
        ids = np.array([f"{i:06d}" for i in range(len(task.y))])
        _pools[key] = Pool(ids, task.titles, (task.half,))
    return _pools[key]


def labels_of(state: State) -> Labels:
    """The campaign's answers as agreed labels."""
    pool, y = pool_of(state.task), state.y
    return Labels(
        asset_ids=tuple(pool.asset_ids[state.asked].tolist()),
        title_ids=tuple(pool.title_ids[state.asked].tolist()),
        shares=np.column_stack([y, 1 - y]).astype(np.float64),
        weights=np.ones(len(y)),
    )
