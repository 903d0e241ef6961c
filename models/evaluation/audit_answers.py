"""Audit answers that have a majority, with the scores of one probe or two: what every honest figure starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from attune.models.errors import DataError
from attune.models.evaluation.population import Population, as_pool, posterior_populations
from attune.models.labels.labels import Labels


@dataclass(frozen=True, eq=False)
class Audited:
    """Decided audit rows (n) under the probabilities of one probe, or of two to compare, and of the whole pool (N).

    ``majority`` and ``titles`` intp (n,), ``inclusion`` (n,), ``probabilities`` (n, k) and ``pools`` (N, k) one for
    each probe, ``counts`` (N,) what each row of a pool stands for; ``draw`` the log inclusion of audited rows (n,) and
    of the pool's (N,) where the curve is to know it.
    """

    majority: NDArray[np.intp]
    titles: NDArray[np.intp]
    inclusion: NDArray[np.float64]
    probabilities: tuple[NDArray[np.float64], ...]
    pools: tuple[NDArray[np.float64], ...]
    counts: NDArray[np.float64]
    draw: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @classmethod
    def of(
        cls,
        labels: Labels,
        probabilities: Sequence[ArrayLike],
        inclusion: ArrayLike,
        classes: Sequence[str],
        pools: Sequence[ArrayLike | None],
        pool_inclusion: ArrayLike | None = None,
    ) -> Audited:
        """Check everything once; raises DataError on shapes that do not fit or an asset that was never drawn.

        ``pool_inclusion`` (N,) of the pool's rows (the audited ones, without a pool) has to be given where these probes
        are not the ones whose scores led the draw. What was drawn for another's high score is positive more often than
        its score here lets on; the curve then has the log inclusion beside the score.
        """
        checked = [_checked(labels, proba, inclusion, classes) for proba in probabilities]
        keep = labels.decided()
        pi = np.asarray(inclusion, dtype=np.float64)[keep]
        proba = tuple(array[keep] for array in checked)
        if len({pool is None for pool in pools}) > 1:
            raise DataError(
                "Only one of the two probes has probabilities for the pool. Give them for both probes or for neither."
            )
        filled = [as_pool(pool, array, 1.0 / pi) for pool, array in zip(pools, proba, strict=True)]
        if any(pool.shape != (len(filled[0][0]), len(classes)) for pool, _ in filled):
            shapes = [pool.shape for pool, _ in filled]
            raise DataError(f"The pool's probabilities have the shapes {shapes}. Expected (assets, {len(classes)}).")
        titles = np.unique(np.array(labels.title_ids, dtype=np.str_)[keep], return_inverse=True)[1].reshape(-1)
        every = tuple(pool for pool, _ in filled)
        draw = None if pool_inclusion is None else _draw(pi, pool_inclusion, every[0], keep)
        return cls(labels.majority()[keep], titles.astype(np.intp), pi, proba, every, filled[0][1], draw)

    def truth(self, column: int) -> NDArray[np.float64]:
        """1 where the class of ``column`` is the majority, else 0, float64 (n,)."""
        return np.asarray(self.majority == column, dtype=np.float64)

    def populations(self, column: int, generator: np.random.Generator) -> Population:
        """Populations like the pool, for one class against the others; every probe sees the same ones."""
        audited = np.stack([proba[:, column] for proba in self.probabilities], axis=1)
        pool = np.stack([proba[:, column] for proba in self.pools], axis=1)
        if self.draw is not None:
            audited, pool = (np.column_stack(pair) for pair in zip((audited, pool), map(expit, self.draw), strict=True))
        return posterior_populations(audited, self.truth(column), self.titles, pool, self.counts, generator)


def _draw(
    pi: NDArray[np.float64], pool_inclusion: ArrayLike, pool: NDArray[np.float64], keep: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    everywhere = np.asarray(pool_inclusion, dtype=np.float64)
    if len(everywhere) == len(keep) and len(pool) == len(pi):
        everywhere = everywhere[keep]
    if everywhere.shape != pool.shape[:1]:
        raise DataError(
            f"The pool has {len(pool)} rows but {len(everywhere)} inclusion probabilities. Expected one for each row."
        )
    nonzero = everywhere > 0
    log_inclusion = np.log(np.where(nonzero, everywhere, 1.0))
    # An asset that came after the last draw was never led to or away from.
    return np.log(pi), np.where(nonzero, log_inclusion, log_inclusion[nonzero].mean() if nonzero.any() else 0.0)


def _checked(
    labels: Labels, probabilities: ArrayLike, inclusion: ArrayLike, classes: Sequence[str]
) -> NDArray[np.float64]:
    proba, pi = np.asarray(probabilities, dtype=np.float64), np.asarray(inclusion, dtype=np.float64)
    expected = (len(labels), len(classes))
    if proba.shape != expected or pi.shape != expected[:1] or labels.shares.shape[1] != len(classes):
        raise DataError(
            f"{len(labels)} labels of {labels.shares.shape[1]} classes have probabilities of shape "
            f"{proba.shape}, inclusion of shape {pi.shape} and the classes {list(classes)}. Expected {expected} "
            f"and {expected[:1]}."
        )
    if not ((proba >= 0) & (proba <= 1)).all():
        raise DataError(
            f"Probabilities are between {proba.min()} and {proba.max()}. Expected 0 to 1, after the sigmoid."
        )
    if not ((pi > 0) & (pi <= 1)).all():
        row = int(np.flatnonzero(~((pi > 0) & (pi <= 1)))[0])
        raise DataError(
            f"Asset {labels.asset_ids[row]!r} has the inclusion probability {pi[row]}. Expected above 0 and at "
            "most 1. Use only audit answers, on assets that AuditDesign.extend drew."
        )
    return proba
