"""Attune itself, by the same two calls that the product makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.probes.learner import LearnerSettings, fit, plan
from attune.models.probes.priors import Prompts
from benchmarks.label_efficiency.classifiers import CLASSES, labels_of, pool_of, published_heads
from benchmarks.label_efficiency.state import Method, State
from benchmarks.label_efficiency.tasks import Task

ANSWERS = 400  # that each published probe of the catalogue was made from


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
        self.reserved = pool_reserved_mask(pool, every, self.settings.reserved_share, self.state.seed).copy()
        self.reserved[np.isin(pool.title_ids, pool.title_ids[self.state.asked])] = False


class Attune:
    """The product's learner with these settings; audits, where there are any, are labels that only measure."""

    def __init__(self, settings: LearnerSettings, catalogue: bool = False) -> None:
        self.settings, self.catalogue = settings, catalogue
        self._audits: WeakKeyDictionary[State, _Audit] = WeakKeyDictionary()

    def fit(self, state: State) -> Any:
        audit = self._audits.setdefault(state, _Audit(state, self.settings))
        pool = pool_of(state.task)
        known = self._known(state)
        probe = fit(pool, labels_of(state), CLASSES, known, self.settings, state.seed, reserved=audit.reserved)
        return _Positive(probe)

    def query(self, estimator: Any, state: State, n: int) -> npt.NDArray[np.intp]:
        audit = self._audits[state]
        asks = plan(
            pool_of(state.task), estimator.probe, labels_of(state), np.asarray(state.asked), n, self.settings,
            state.seed, prompts=self._known(state), audit=audit.design, reserved=audit.reserved,
        )  # fmt: skip
        return np.array([ask.index for ask in asks], dtype=np.intp)

    def _known(self, state: State) -> Prompts | None:
        return Prompts(relatives=published(state.task, state.seed)) if self.catalogue else None


class _Positive:
    """The probe's logit in the second column, as every method's."""

    def __init__(self, probe: Any) -> None:
        self.probe = probe

    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return self.probe.predict_proba(X)[:, ::-1]


_published: dict[tuple[int, str, int], npt.NDArray[np.float32]] = {}


def published(task: Task, seed: int) -> npt.NDArray[np.float32]:
    """The heads (m, d) that a catalogue would hold beside this task: of each other attribute of the file a probe from
    ``ANSWERS`` random images of the pool. Their labels are nobody's in the campaign: the peers have no use for them.
    """
    key = (id(task.half), task.name, seed)
    if key not in _published:
        rng = np.random.default_rng([seed, 77])
        _published[key] = published_heads(pool_of(task), task.others, ANSWERS, rng)
    return _published[key]


def attune(catalogue: bool = False, **changes: Any) -> Method:
    """The learner with its default settings or ``changes`` of them; ``catalogue``: with the file's other attributes."""
    learner = Attune(LearnerSettings(**changes), catalogue)
    return Method(learner.fit, learner.query)
