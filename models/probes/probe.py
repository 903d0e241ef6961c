"""The probe: a linear head on unit-length embeddings, as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from attune.models.errors import DataError, ProbeNotFitted
from attune.models.probes.prior_strength import STRENGTHS, fit_by_evidence
from attune.models.probes.priors import TextPrior
from attune.models.vectors.axes import Axes
from attune.models.vectors.products import FloatArray


class Probe(ClassifierMixin, BaseEstimator):
    """Linear heads with the reading of the probe files: for two classes one head, logit > 0 means ``classes_[0]``.

    ``classes``: the class names in the attribute's order (None: sorted names seen). ``strength``: the inverse
    penalty C; None lets the labels' evidence weigh several, scaled by the vectors' ``variance`` around their mean.
    ``prior``: heads to start from; labels gradually overrule them. ``transfer`` (m, d): directions more likely to
    matter than others (``transfer_prior``), as far as the labels agree; ``axes``: directions that may matter less
    (``attune.models.vectors.axes``), likewise.
    After ``fit``: ``classes_`` (c,), ``weight_`` (k, d), ``bias_`` (k,), ``calibration_`` (k, 2) float32, k = 1 for
    two classes and c otherwise; ``narrowed_``: how likely the axes are beside the question, 0 to 1; ``lowered_`` (k,)
    float32: what ``lowered`` took from the biases, 0 unless a class had no answer.
    """

    def __init__(
        self,
        classes: Sequence[str] | None = None,
        strength: float | None = None,
        prior: TextPrior | None = None,
        variance: float = 1.0,
        transfer: FloatArray | None = None,
        axes: Axes | None = None,
    ) -> None:
        self.classes = classes
        self.strength = strength
        self.prior = prior
        self.variance = variance
        self.transfer = transfer
        self.axes = axes

    @classmethod
    def from_heads(
        cls,
        classes: Sequence[str],
        weight: npt.ArrayLike,
        bias: npt.ArrayLike,
        calibration: npt.ArrayLike | None = None,
    ) -> Self:
        """A fitted probe of given heads: ``weight`` (k, d), ``bias`` (k,), ``calibration`` (k, 2) slope and offset."""
        probe = cls(classes=tuple(classes))
        probe.classes_ = np.asarray(classes)
        probe.weight_ = np.atleast_2d(np.asarray(weight, dtype=np.float32))
        probe.bias_ = np.asarray(bias, dtype=np.float32).reshape(-1)
        k = 1 if len(probe.classes_) == 2 else len(probe.classes_)
        if probe.weight_.shape[0] != k or probe.bias_.shape != (k,):
            raise DataError(
                f"{len(probe.classes_)} classes need {k} rows of coefficients, got weight {probe.weight_.shape} "
                f"and bias {probe.bias_.shape}."
            )
        probe.n_features_in_ = probe.weight_.shape[1]
        probe.narrowed_ = 0.0
        probe.lowered_ = np.zeros(k, dtype=np.float32)
        identity = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (k, 1))
        calibration_rows = identity if calibration is None else np.asarray(calibration, dtype=np.float32).reshape(k, 2)
        probe.calibration_ = calibration_rows
        return probe

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit on ``X`` (n, d) and ``y``: class names (n,), or shares of the classes (n, c) with rows that sum to 1.

        ``sample_weight`` (n,) >= 0. Raises DataError for names outside ``classes`` or shapes that do not fit.
        """
        x = np.asarray(X, dtype=np.float32)
        names, shares = _shares(np.asarray(y), self.classes)
        weights = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if not len(x) == len(shares) == len(weights) or x.ndim != 2:
            raise DataError(
                f"X has the shape {x.shape}, y has {len(shares)} rows and sample_weight {len(weights)}. Each "
                "needs one row per example."
            )
        k = 1 if len(names) == 2 else len(names)
        start = None if self.prior is None else (self.prior.weight.astype(float), self.prior.bias.astype(float))
        weight, bias = start or (np.zeros((k, x.shape[1])), np.zeros(k))
        narrowed = 0.0
        if len(x):
            strengths = [c / self.variance for c in STRENGTHS] if self.strength is None else [self.strength]
            weight, bias, narrowed = fit_by_evidence(x, shares, weights, strengths, start, self.transfer, self.axes)
        fitted = type(self).from_heads(tuple(names), weight, bias)
        for name in ("classes_", "weight_", "bias_", "calibration_", "n_features_in_", "lowered_"):
            setattr(self, name, getattr(fitted, name))
        self.narrowed_ = narrowed
        return self

    def logits(self, X: npt.ArrayLike) -> FloatArray:
        """Uncalibrated ``x.w + b``, float32 (n, k). Raises ProbeNotFitted."""
        self._check_fitted()
        scores: FloatArray = np.asarray(X, dtype=np.float32) @ self.weight_.T + self.bias_
        return scores

    def decision_function(self, X: npt.ArrayLike) -> FloatArray:
        """Calibrated logits: (n,) for two classes, > 0 means ``classes_[0]``; else (n, c). Raises ProbeNotFitted."""
        z = self._calibrated(self.logits(X))
        return z[:, 0] if z.shape[1] == 1 else z

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probabilities (n, c) float64 in the order of ``classes_``. Raises ProbeNotFitted."""
        return self.probabilities(self.logits(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The likeliest class's name (n,). Raises ProbeNotFitted."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]  # type: ignore[no-any-return]

    def probabilities(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probabilities (n, c) from uncalibrated logits (n, k), as ``Pool.logits`` gives them."""
        self._check_fitted()
        z = self._calibrated(np.asarray(logits, dtype=np.float32)).astype(np.float64)
        if z.shape[1] == 1:
            first = expit(z[:, 0])
            return np.column_stack([first, 1 - first])
        return softmax(z, axis=1)  # type: ignore[no-any-return]

    def calibrated(self, calibration: npt.ArrayLike) -> Probe:
        """The same heads with another calibration (k, 2)."""
        self._check_fitted()
        other = Probe.from_heads(tuple(self.classes_), self.weight_, self.bias_, calibration)
        other.narrowed_, other.lowered_ = self.narrowed_, self.lowered_
        return other

    def with_lower_biases(self, by: npt.ArrayLike) -> Probe:
        """The same probe with ``by`` (k,) taken from its biases: a class without answers is as rare as they say."""
        self._check_fitted()
        other, taken = copy(self), np.asarray(by, dtype=np.float32)
        other.bias_, other.lowered_ = self.bias_ - taken, self.lowered_ + taken
        return other

    def seeking(self) -> Probe:
        """The probe as it looks for what no one has answered yet: with the biases from before they were lowered."""
        return self.with_lower_biases(-self.lowered_) if np.any(self.lowered_) else self

    def _calibrated(self, logits: FloatArray) -> FloatArray:
        z: FloatArray = logits * self.calibration_[:, 0] + self.calibration_[:, 1]
        return z

    def _check_fitted(self) -> None:
        if not hasattr(self, "weight_"):
            raise ProbeNotFitted("This probe is not trained yet. Call fit(X, y) or Probe.from_heads(…) first.")


def _shares(y: npt.NDArray[Any], classes: Sequence[str] | None) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """The class names and each example's shares of them."""
    if y.ndim == 2:
        names = np.arange(y.shape[1]) if classes is None else np.asarray(classes)
        if len(names) != y.shape[1]:
            raise DataError(
                f"y has shares of {y.shape[1]} classes, but {len(names)} are named: {list(names)}. Name one "
                "class per column."
            )
        return names, y.astype(np.float64)
    names = np.unique(y) if classes is None else np.asarray(classes)
    if len(names) < 2:
        raise DataError(f"y has only the class {list(names)}. Name all classes: Probe(classes=[…]).")
    unknown = sorted(set(y.tolist()) - set(names.tolist()))
    if unknown:
        raise DataError(f"y has the values {unknown[:3]}, which are not among the classes {list(names)}.")
    return names, (y[:, None] == names[None, :]).astype(np.float64)
