"""Attune itself, by the same two calls that the product makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from benchmarks.label_efficiency.classifiers import CLASSES, labels_of, pool_of
from benchmarks.label_efficiency.state import Method, State
from models.audit import AuditDesign
from models.learner import LearnerSettings, fit, plan
from models.reserve import reserved_in


@dataclass(eq=False)
class _Audit:
    """The campaign's audit: its titles, without those of the 20 labels that all methods are given to train on."""

    state: State
    settings: LearnerSettings
    design: AuditDesign = field(init=False)
    reserved: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        pool = pool_of(self.state.task)
        every = np.arange(len(pool))
        self.design = AuditDesign(self.state.seed)
        self.reserved = reserved_in(pool, every, self.settings.reserved_share, self.state.seed).copy()
        self.reserved[np.isin(pool.title_ids, pool.title_ids[self.state.asked])] = False


class Attune:
    """The product's learner with these settings; audits, where there are any, are labels that only measure."""

    def __init__(self, settings: LearnerSettings) -> None:
        self.settings = settings
        self._audits: WeakKeyDictionary[State, _Audit] = WeakKeyDictionary()

    def fit(self, state: State) -> Any:
        audit = self._audits.setdefault(state, _Audit(state, self.settings))
        pool = pool_of(state.task)
        probe = fit(pool, labels_of(state), CLASSES, None, self.settings, state.seed, reserved=audit.reserved)
        return _Positive(probe)

    def query(self, estimator: Any, state: State, n: int) -> npt.NDArray[np.intp]:
        audit = self._audits[state]
        asks = plan(
            pool_of(state.task), estimator.probe, labels_of(state), np.asarray(state.asked), n, self.settings,
            state.seed, audit=audit.design, reserved=audit.reserved,
        )  # fmt: skip
        return np.array([ask.index for ask in asks], dtype=np.intp)


class _Positive:
    """The probe's logit in the second column, as every method's."""

    def __init__(self, probe: Any) -> None:
        self.probe = probe

    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return self.probe.predict_proba(X)[:, ::-1]


def attune(**changes: Any) -> Method:
    """The learner with its default settings, or with ``changes`` of them."""
    learner = Attune(LearnerSettings(**changes))
    return Method(learner.fit, learner.query)
