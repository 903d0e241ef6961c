"""All that the choice of questions depends on, and quick looks at the pool by score."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.probes.priors import Prompts
from attune.models.vectors.pool import IntArray, Pool
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    from attune.models.probes.probe import Probe  # loads scikit-learn, which the console and the scheduler need not

ENOUGH_TO_SAMPLE = 50_000  # assets above which a threshold is estimated before anything is sorted


@dataclass(frozen=True, eq=False)
class Situation:
    """The pool, the probe, what was asked (in order) and what was learned of it.

    ``asked`` (a,) pool indices; ``labelled`` (m,) those with a label to train on, their ``shares`` (m, c) and
    ``weights`` (m,); ``hidden`` (h,) those that may not be shown any more, which count as neither asked nor there.
    """

    pool: Pool
    probe: Probe
    asked: IntArray
    labelled: IntArray
    shares: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    prompts: Prompts | None
    reserved_share: float
    seed: int
    given_reserved: npt.NDArray[np.bool_] | None = None
    hidden: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    @cached_property
    def rng(self) -> np.random.Generator:
        """This round's randomness: the same for the same attribute and the same number of questions."""
        return np.random.default_rng([self.seed, 2, len(self.asked)])

    @cached_property
    def logits(self) -> FloatArray:
        """The probe's logits of the whole pool (N, k)."""
        return self.pool.logits(self.probe.weight_, self.probe.bias_)

    @cached_property
    def counts(self) -> npt.NDArray[np.float64]:
        """The labels of each class (c,), soft ones by their share."""
        return self.weights @ self.shares if len(self.weights) else np.zeros(len(self.probe.classes_))

    @cached_property
    def seen(self) -> FloatArray:
        """The labelled vectors (m, d)."""
        return self.pool.rows(self.labelled)

    @cached_property
    def audits_asked(self) -> int:
        """How many of the asked belong to audit titles."""
        return int(self.reserved(self.asked).sum())

    def reserved(self, index: IntArray) -> npt.NDArray[np.bool_]:
        """Which of ``index`` belong to audit titles."""
        return pool_reserved_mask(self.pool, index, self.reserved_share, self.seed, self.given_reserved)

    @cached_property
    def hidden_rows(self) -> npt.NDArray[np.bool_]:
        """Which rows of the pool are hidden (N,)."""
        rows = np.zeros(len(self.pool), dtype=bool)
        rows[self.hidden] = True
        return rows

    @cached_property
    def _taken(self) -> npt.NDArray[np.bool_]:
        taken = self.hidden_rows.copy()
        taken[self.asked] = True
        return taken

    def askable(self, index: IntArray) -> IntArray:
        """Those of ``index`` that may be asked for training: not asked yet, of no audit title."""
        free = index[~self._taken[index]]
        return free[~self.reserved(free)]

    def class_score(self, position: int) -> FloatArray:
        """How far each asset lies on the side of the class at ``position`` (N,): its logit over the best other's."""
        if self.logits.shape[1] == 1:
            return self.logits[:, 0] if position == 0 else -self.logits[:, 0]
        others = np.delete(self.logits, position, axis=1).max(axis=1)
        return np.asarray(self.logits[:, position] - others, dtype=np.float32)

    def border_closeness(self) -> FloatArray:
        """How close each asset is to the border, at most 0 (N,): minus the gap between the two highest logits."""
        if self.logits.shape[1] == 1:
            return -np.abs(self.logits[:, 0])
        top = np.partition(self.logits, -2, axis=1)[:, -2:]
        return np.asarray(top[:, 0] - top[:, 1], dtype=np.float32)

    def top(self, scores: FloatArray, size: int) -> IntArray:
        """Indices of the ``size`` highest ``scores`` (N,) that are open, highest first; fewer where there are fewer."""
        candidates = min(len(scores), 2 * size + len(self.asked) + 50)
        open_rows = self.askable(highest(scores, candidates, self.rng))
        while len(open_rows) < size and candidates < len(scores):
            candidates = min(len(scores), 4 * candidates)
            open_rows = self.askable(highest(scores, candidates, self.rng))
        return open_rows[:size]


def highest(scores: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """The ``size`` highest of N scores, highest first; exact, though a sampled threshold spares most of the sorting."""
    n = len(scores)
    candidates: IntArray = np.arange(n, dtype=np.intp)
    if n > ENOUGH_TO_SAMPLE and size < n // 20:
        sample = scores[rng.integers(n, size=20_000)]
        rank = 3 * 20_000 * size // n + 20
        above = np.flatnonzero(scores >= np.partition(sample, -rank)[-rank])
        candidates = above if len(above) >= size else candidates
    values = scores[candidates]
    if size < len(values):
        top_rows = np.argpartition(-values, size - 1)[:size]
        candidates, values = candidates[top_rows], values[top_rows]
    return candidates[np.argsort(-values, kind="stable")]
