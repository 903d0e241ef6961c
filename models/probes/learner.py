"""The learner's facade: labels in, a probe out; a probe in, the next images to ask about out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from attune.models.errors import SettingsError
from attune.models.evaluation.audit_design import MEASURES_ONLY, AuditDesign
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.labels.labels import Labels
from attune.models.probes.background import background
from attune.models.probes.priors import Prompts, text_prior
from attune.models.probes.probe import Probe
from attune.models.probes.transfer_prior import transfer_prior
from attune.models.query.context import Situation
from attune.models.query.planner import Ask, allocate
from attune.models.query.strategies import strategy
from attune.models.threads import one_thread
from attune.models.vectors.axes import leading_axes
from attune.models.vectors.pool import Pool

EXAMPLE_WEIGHT = 0.5  # an example is chosen to be clear: worth less than an answer about an image of the pool


@dataclass(frozen=True)
class LearnerSettings:
    """What an owner may turn.

    ``strategy``: attune, or any name that ``query.strategies.strategy`` knows. ``audit_share``: of the answers after
    the first ``audit_after``, how many are audits, in [0, 0.9]; audits are never trained on, so they cost labels.
    ``reserved_share``: of the titles, how many are kept for audits. ``strength``: the inverse penalty C (None: by the
    labels' evidence). Raises SettingsError for values out of range or a strategy that is not there.
    """

    strategy: str = "attune"
    audit_share: float = 0.1
    audit_after: int = 40
    reserved_share: float = 0.2
    strength: float | None = None

    def __post_init__(self) -> None:
        for name, top in (("audit_share", 0.9), ("reserved_share", 0.5)):
            value = getattr(self, name)
            if not (0 <= value <= top or (name == "reserved_share" and value == MEASURES_ONLY)):
                raise SettingsError(f"{name} is {value}. It must be between 0 and {top}, for example 0.1.")
        if self.audit_share and not self.reserved_share:
            raise SettingsError(
                f"audit_share is {self.audit_share} but reserved_share is 0, so no title can be audited. Set "
                "reserved_share to 0.2, or audit_share to 0."
            )
        if self.strategy != "attune":
            strategy(self.strategy)


class PoolOptions(TypedDict, total=False):
    """What may be known beside the labels: ``prompts``; ``reserved`` (N,) bool, which replaces the audit titles that
    seed and settings give; ``hidden``, pool indices that may not be shown any more: never asked, drawn or counted."""

    prompts: Prompts | None
    reserved: npt.NDArray[np.bool_] | None
    hidden: npt.ArrayLike


class PlanOptions(PoolOptions, total=False):
    """``audit``: the attribute's design, extended by the audits that are due (None: no audits); ``contested``: asked
    indices that deserve a second opinion, most contested first."""

    audit: AuditDesign | None
    contested: Sequence[int]


def fit(
    pool: Pool,
    labels: Labels,
    classes: Sequence[str],
    prompts: Prompts | None,
    settings: LearnerSettings,
    seed: int,
    reserved: npt.NDArray[np.bool_] | None = None,
    answered: npt.ArrayLike = (),
) -> Probe:
    """The probe that the labels, prompts and examples support; never raises for an early state.

    Labels of audit titles are left out, even if passed in. With classes no one has answered yet, a random
    background of the pool stands for them, so that one class alone (or none, with prompts) still ranks. Images that
    people answered, those of ``labels`` and the pool indices ``answered``, never stand for a class that they are not.
    ``seed`` is the attribute's and stays the same for all its rounds. ``reserved`` (N,) bool replaces the audit
    titles that ``seed`` and ``settings`` give.
    """
    rng = np.random.default_rng([seed, 1])
    prior = text_prior(prompts, classes, pool, rng)
    index, shares, weights = training_rows(pool, labels, settings, seed, reserved)
    answers = float(weights.sum())
    x = pool.rows(index) if len(pool) else np.empty((0, 1), dtype=np.float32)
    if prompts is not None and (examples := prompts.examples_of(classes)) is not None:
        vectors, where = examples
        x, shares = np.concatenate([x, vectors]), np.concatenate([shares, np.eye(len(classes))[where]])
        weights = np.concatenate([weights, np.full(len(where), EXAMPLE_WEIGHT)])
    missing, behind = shares.T @ weights == 0, None
    if len(x) and missing.any():
        labelled_rows = np.concatenate([pool.positions(labels.asset_ids), np.asarray(answered, dtype=np.intp)])
        behind = background(pool, labelled_rows, float(weights.sum()), answers, rng)
        x = np.concatenate([x, pool.rows(behind.index)])
        shares = np.concatenate([shares, np.tile(missing / missing.sum(), (len(behind.index), 1))])
        weights = np.concatenate([weights, np.full(len(behind.index), behind.weight)])
    with one_thread():
        transfer = transfer_prior(prompts.leanings(), pool) if prompts is not None else None
        narrow = leading_axes(pool)
        probe = Probe(tuple(classes), settings.strength, prior, pool.variance, transfer, narrow)
        probe.fit(x, shares, weights)
    return probe if behind is None else probe.with_lower_biases(behind.excess(missing))


def training_rows(
    pool: Pool, labels: Labels, settings: LearnerSettings, seed: int, reserved: npt.NDArray[np.bool_] | None = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Pool indices (m,), shares (m, c) and weights (m,) of the labels that may be trained on.

    In pool order, so that the order of answers changes nothing; assets that left the pool and audit titles are out.
    """
    index = pool.positions(labels.asset_ids)
    rows_in_pool = np.flatnonzero(index >= 0)
    rows_in_pool = rows_in_pool[~pool_reserved_mask(pool, index[rows_in_pool], settings.reserved_share, seed, reserved)]
    rows_in_pool = rows_in_pool[np.argsort(index[rows_in_pool], kind="stable")]
    return index[rows_in_pool], labels.shares[rows_in_pool], labels.weights[rows_in_pool]


def plan(
    pool: Pool,
    probe: Probe,
    labels: Labels,
    asked: npt.ArrayLike | set[int],
    n: int,
    settings: LearnerSettings,
    seed: int,
    **also: Unpack[PlanOptions],
) -> list[Ask]:
    """The next ``n`` images to ask about, best first; fewer where the pool has no more.

    ``asked``: pool indices already asked or open, in the order of asking where it is known (the last ones count as
    recent); ``also``: see ``PlanOptions``. One image a title, and no near duplicates, as long as the pool
    allows. A class without answers is looked for as if it were as frequent as the rest (``Probe.seeking``).
    """
    audit, contested = also.get("audit"), also.get("contested", ())
    options: PoolOptions = {"prompts": also.get("prompts"), "reserved": also.get("reserved")}
    options["hidden"] = also.get("hidden", ())
    facts = situation(pool, probe.seeking(), labels, asked, settings, seed, **options)
    due = 0 if audit is None else audits_due(facts, n, settings)
    with one_thread():
        return allocate(facts, n, settings.strategy, audit, due, contested)


def situation(
    pool: Pool,
    probe: Probe,
    labels: Labels,
    asked: npt.ArrayLike | set[int],
    settings: LearnerSettings,
    seed: int,
    **also: Unpack[PoolOptions],
) -> Situation:
    """All that the choice of questions depends on; arguments as in ``plan``."""
    order = np.asarray(sorted(asked) if isinstance(asked, set | frozenset) else asked, dtype=np.intp)
    hidden, reserved = np.asarray(also.get("hidden", ()), dtype=np.intp), also.get("reserved")
    order = order[~np.isin(order, hidden)]
    rows = training_rows(pool, labels, settings, seed, reserved)
    return Situation(pool, probe, order, *rows, also.get("prompts"), settings.reserved_share, seed, reserved, hidden)


def audits_due(situation: Situation, n: int, settings: LearnerSettings) -> int:
    """How many of the next ``n`` are audits: none at first, later a steady share."""
    total = len(situation.asked) + n
    target = settings.audit_share * max(0, total - settings.audit_after)
    return int(np.clip(np.floor(target + 1e-9) - situation.audits_asked, 0, n))


__all__ = ["Ask", "LearnerSettings", "PlanOptions", "PoolOptions", "Prompts", "fit", "plan", "situation"]
