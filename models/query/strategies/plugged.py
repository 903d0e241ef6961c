"""Strategies of other libraries by name: ``modal:margin_sampling``, ``skactiveml:TypiClust``."""

from __future__ import annotations

import difflib
import importlib
import inspect
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import SettingsError
from attune.models.query.strategies.base import Picked, Rows, Strategy, checked


def plugged(name: str) -> Strategy:
    """The strategy behind ``library:name``. Raises SettingsError where the library or the name is not there."""
    library, _, inner = name.partition(":")
    if library == "modal":
        return _modal(inner)
    if library == "skactiveml":
        return _skactiveml(inner)
    raise SettingsError(f"The strategy {name!r} names the library {library!r}. Expected modal or skactiveml.")


def _load(package: str, modules: tuple[str, ...], inner: str, install: str) -> Any:
    try:
        rooms = [importlib.import_module(module) for module in modules]
    except ImportError as error:
        raise SettingsError(
            f"The strategy {inner!r} needs the package {package}, which is not installed. Install it: `pip "
            f"install {install}`"
        ) from error
    for room in rooms:
        if hasattr(room, inner):
            return getattr(room, inner)
    names = sorted({n for room in rooms for n, thing in vars(room).items() if n[0] != "_" and callable(thing)})
    near = difflib.get_close_matches(inner, names, n=3) or names[:5]
    raise SettingsError(f"{package} has no strategy {inner!r}. Similar names: {', '.join(near)}.")


def _modal(inner: str) -> Strategy:
    # modAL 0.4.2's expected_error cannot be imported with numpy >= 1.24 (it names np.float), so it is not among these.
    function = _load("modAL", ("modAL.uncertainty", "modAL.batch"), inner, "modAL-python")

    def choose(estimator: Any, X: Rows, n_instances: int, _: Any, seen: Rows | None = None, **_kw: Any) -> Picked:
        learner = _AsLearner(estimator, X[:0] if seen is None else seen)
        indices, values = function(learner, X, n_instances=n_instances)
        return np.asarray(indices, dtype=np.intp).ravel(), np.asarray(values, dtype=np.float64).ravel()

    choose.__name__, choose.__doc__ = f"modal_{inner}", f"modAL's {inner}."
    return checked(choose)


class _AsLearner:
    """What modAL's functions expect of an estimator: predictions, and the training rows for ranked batches."""

    def __init__(self, estimator: Any, X_seen: npt.NDArray[Any]) -> None:
        self.estimator, self.X_training, self.on_transformed = estimator, X_seen, False

    def predict_proba(self, X: npt.NDArray[Any], **_: Any) -> npt.NDArray[np.float64]:
        return np.asarray(self.estimator.predict_proba(X))

    def predict(self, X: npt.NDArray[Any], **_: Any) -> npt.NDArray[Any]:
        return np.asarray(self.estimator.predict(X))


def _skactiveml(inner: str) -> Strategy:
    kind = _load("scikit-activeml", ("skactiveml.pool",), inner, "scikit-activeml")

    def choose(
        estimator: Any,
        X: Rows,
        n_instances: int,
        rng: np.random.Generator,
        seen: Rows | None = None,
        seen_classes: npt.NDArray[Any] | None = None,
        **_: Any,
    ) -> Picked:
        labelled = X[:0] if seen is None else seen
        labels = np.zeros(len(labelled)) if seen_classes is None else np.asarray(seen_classes, dtype=float)
        query = _seeded(kind, int(rng.integers(2**31)))
        everything = np.concatenate([X, labelled]).astype(np.float64)
        y = np.concatenate([np.full(len(X), np.nan), labels])
        accepted = inspect.signature(query.query).parameters
        more: dict[str, Any] = {"clf": _frozen(estimator)} if "clf" in accepted else {}
        if "fit_clf" in accepted:
            more["fit_clf"] = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its k-means warns of a missing memory setting on other systems
            indices, utilities = query.query(
                everything, y, candidates=np.arange(len(X)), batch_size=n_instances, return_utilities=True, **more
            )
        indices = np.asarray(indices, dtype=np.intp)
        values = np.asarray([row[i] for row, i in zip(utilities, indices, strict=True)], dtype=np.float64)
        return indices, np.nan_to_num(values)

    choose.__name__, choose.__doc__ = f"skactiveml_{inner}", f"scikit-activeml's {inner}."
    return checked(choose)


def _seeded(kind: Any, seed: int) -> Any:
    """The strategy with every source of chance tied to ``seed``; some give their k-means none of their own."""
    if "cluster_algo_dict" in inspect.signature(kind).parameters:
        return kind(random_state=seed, cluster_algo_dict={"random_state": seed, "n_init": 1})
    return kind(random_state=seed)


def _frozen(estimator: Any) -> Any:
    """The fitted probe in scikit-activeml's clothes, with class positions as labels."""
    from skactiveml.base import SkactivemlClassifier

    class Frozen(SkactivemlClassifier):
        def __init__(self, missing_label: float = np.nan) -> None:
            super().__init__(classes=None, missing_label=missing_label)
            self.classes_ = np.arange(len(estimator.classes_), dtype=float)

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
            return np.asarray(estimator.predict_proba(X))

        def predict(self, X: Any) -> npt.NDArray[np.float64]:
            likeliest: npt.NDArray[np.float64] = self.predict_proba(X).argmax(axis=1).astype(np.float64)
            return likeliest

    return Frozen()
