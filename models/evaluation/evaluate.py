"""Honest figures of a probe: measured on the audit, with an interval, or not given at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.evaluation.audit_answers import Audited
from attune.models.evaluation.holdout import cross_validated, design_based, holdout_ap, macro
from attune.models.evaluation.intervals import LEVEL, percentile_interval, share_interval
from attune.models.evaluation.metrics import (
    EARLY_LEVEL,
    FIRST,
    FULL,
    LEAST,
    Metric,
    average_precision,
    log_odds,
    too_few,
    unknown,
)
from attune.models.evaluation.population import Population
from attune.models.labels.labels import Labels
from attune.models.text import there_are

__all__ = ["Metric", "average_precision", "compare", "cross_validated", "evaluate_audit", "headline", "holdout_ap"]

METHOD = "audit, Bayesian score curve over the reserved pool"
PAIRED = "paired audit, Bayesian score curve over the reserved pool"


def headline(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that the headline average precision is over: all of them, or the first of two."""
    return tuple(classes[:1]) if len(classes) == 2 else tuple(classes)


def evaluate_audit(
    labels: Labels,
    probabilities: ArrayLike,
    inclusion: ArrayLike,
    classes: Sequence[str],
    *,
    pool: ArrayLike | None = None,
    pool_inclusion: ArrayLike | None = None,
    thresholds: Mapping[str, float] | None = None,
    seed: int = 0,
) -> dict[str, Metric]:
    """Every figure of a probe that the audit answers support, each with its interval, or the reason why not.

    ``labels`` of n audited assets, ``probabilities`` (n, k) of the probe for them, ``inclusion`` (n,) as
    ``AuditDesign.inclusions`` gives it now, ``pool`` (N, k) the probabilities of all reserved assets, drawn or not
    (without it the audited stand for the pool by their weights, which is less sure) and ``pool_inclusion`` (N,) theirs
    where another probe's scores led the draw (``Audited.of``), ``thresholds`` a probability per class (0.5). Keys:
    ``average_precision`` (of the first of two classes, else the macro mean),
    ``average_precision:C``, ``precision:C``, ``recall:C`` for each class C, ``calibration_error`` (mean over classes),
    ``average_precision_weighted`` (by inverse probabilities alone, no model: a check), ``undecided`` (share of audited
    assets without a majority, which count nowhere else). With 10 to 29 answers, or fewer than 3 for a class or against
    it, only average precision is told, early and with a 99 % interval. Raises DataError on shapes that do not fit or an
    asset that was never drawn.
    """
    audit = Audited.of(labels, (probabilities,), inclusion, classes, (pool,), pool_inclusion)
    cuts = {name: float(log_odds((thresholds or {}).get(name, 0.5))) for name in classes}
    worlds = _worlds(audit, classes, np.random.default_rng(seed)) if len(audit.majority) >= FIRST else {}
    reasons = [_why_no_metric(len(audit.majority)) or too_few(audit.truth(i)) for i in range(len(classes))]
    ranked = {name: world.average_precisions() for name, world in worlds.items()}
    metrics: dict[str, Metric] = {}
    for i, (name, reason) in enumerate(zip(classes, reasons, strict=True)):
        for metric in _of_class(name, worlds.get(name), ranked.get(name), cuts[name], audit, i, reason):
            metrics[metric.name] = metric
    sure = [worlds[name] for name, reason in zip(classes, reasons, strict=True) if not reason]
    parts = [metrics[f"average_precision:{name}"] for name in headline(classes)]
    metrics["average_precision"] = macro(
        "average_precision", parts, [ranked[name] for name in headline(classes) if name in ranked]
    )
    metrics["calibration_error"] = _calibration_error(sure, audit, len(headline(classes)))
    metrics["average_precision_weighted"] = design_based(
        audit.majority, audit.probabilities[0], audit.titles, 1.0 / audit.inclusion, headline(classes), classes, seed
    )
    metrics["undecided"] = _undecided_share(labels)
    return metrics


def _worlds(audit: Audited, classes: Sequence[str], generator: np.random.Generator) -> dict[str, Population]:
    """Populations like the pool for each class; of two classes the second is the first's mirror."""
    if len(classes) == 2:
        first = audit.populations(0, generator)
        return {classes[0]: first, classes[1]: first.mirrored()}
    return {name: audit.populations(i, generator) for i, name in enumerate(classes)}


def _why_no_metric(n: int) -> str:
    """Why ``n`` audit answers give no figure at the usual level; empty where they may."""
    return "" if n >= FULL else f"{there_are(n, 'audit answer')}, at least {FIRST if n < FIRST else FULL} are needed"


def _too_early(n: int) -> str:
    return "" if n >= FIRST else f"{there_are(n, 'audit answer')}, at least {FIRST} are needed"


def _of_class(
    name: str,
    world: Population | None,
    ranked: NDArray[np.float64] | None,
    cut: float,
    audit: Audited,
    column: int,
    reason: str,
) -> list[Metric]:
    n, positives = len(audit.majority), int(audit.truth(column).sum())
    others = [f"{figure}:{name}" for figure in ("precision", "recall")]
    first = f"average_precision:{name}"
    if world is None or ranked is None:
        return [unknown(key, n, METHOD, reason, positives=positives) for key in (first, *others)]
    level = EARLY_LEVEL if reason else LEVEL
    average = _figure(first, ranked, n, positives, level=level)
    if reason:
        return [average, *(unknown(key, n, METHOD, reason, positives=positives) for key in others)]
    samples = (world.precisions(cut), world.recalls(cut))
    return [average, *(_figure(key, sample, n, positives) for key, sample in zip(others, samples, strict=True))]


def _figure(
    name: str,
    sample: NDArray[np.float64],
    n: int,
    positives: int | None,
    method: str = METHOD,
    level: float = LEVEL,
) -> Metric:
    defined = sample[np.isfinite(sample)]
    if len(defined) < len(sample) / 2:
        return unknown(name, n, method, "no probability in the pool is above the threshold", positives=positives)
    value = float(defined.mean())
    lo, hi = percentile_interval(defined, value, level)
    return Metric(name, value, lo, hi, n, method, positives, level)


def _calibration_error(worlds: list[Population], audit: Audited, needed: int) -> Metric:
    n = len(audit.majority)
    if len(worlds) < needed:
        return unknown("calibration_error", n, METHOD, f"a class has fewer than {LEAST} positive or negative answers")
    sample = np.mean([world.calibration_errors() for world in worlds], axis=0)
    lo, hi = percentile_interval(sample[1:], float(sample[0]))
    return Metric("calibration_error", float(sample[0]), lo, hi, n, METHOD)


def _undecided_share(labels: Labels) -> Metric:
    n, method = len(labels), "share of audited assets, Jeffreys interval"
    if not n:
        return unknown("undecided", 0, method, "there are no audit answers yet")
    tied = int((~labels.decided()).sum())
    lo, hi = share_interval(tied, n)
    return Metric("undecided", tied / n, lo, hi, n, method)


def compare(
    labels: Labels,
    probabilities: tuple[ArrayLike, ArrayLike],
    inclusion: ArrayLike,
    classes: Sequence[str],
    *,
    pools: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
    pool_inclusion: ArrayLike | None = None,
    seed: int = 0,
) -> Metric:
    """The headline average precision of the first probe minus that of the second on the same audit answers, paired.

    Arguments as in ``evaluate_audit``, ``probabilities`` and ``pools`` of both probes (``pool_inclusion`` where
    neither's scores led the draw); the two pools (N, k) are the same assets in the same order. Both probes meet the
    same imagined truths, so what is hard for both cancels. From 10 to 29 answers the interval is one of
    99 %, below there is none.
    """
    name = "average_precision_difference"
    audit = Audited.of(labels, probabilities, inclusion, classes, pools, pool_inclusion)
    generator, n = np.random.default_rng(seed), len(audit.majority)
    samples = []
    for class_name in headline(classes):
        column = list(classes).index(class_name)
        if reason := _too_early(n) or too_few(audit.truth(column)):
            return unknown(name, n, PAIRED, reason)
        world = audit.populations(column, generator)
        samples.append(world.average_precisions(0) - world.average_precisions(1))
    positives = int(audit.truth(0).sum()) if len(samples) == 1 else None
    return _figure(name, np.mean(samples, axis=0), n, positives, PAIRED, EARLY_LEVEL if n < FULL else LEVEL)
