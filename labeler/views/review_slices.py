"""A run's figures within the slices of an asset column: by genre, by year, by whatever the manifest brought along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.records.schema import Asset
from attune.labeler.views.quality import Quality
from attune.labeler.views.review_mistakes import weighted_share
from attune.models.evaluation.audit_answers import Audited
from attune.models.evaluation.evaluate import headline
from attune.models.evaluation.intervals import LEVEL, percentile_interval
from attune.models.evaluation.metrics import EARLY_LEVEL, FULL, too_few
from attune.models.labels.labels import Labels
from attune.models.probes.decision import decide
from attune.models.text import counted

LEAST = 10  # audit answers in a slice, below which a share says nothing
MOST = 12
NUMBERS = 8  # so many different numbers and more become quarters
OTHERS, NONE = "all others", "not stated"


@dataclass(frozen=True)
class Slice:
    """The audited images with one value: how often the run agrees with the experts, and its average precision."""

    value: str
    n: int
    agrees: Quality
    average_precision: Quality


@dataclass(frozen=True)
class Slices:
    """The slices by ``column``, the largest first; ``columns`` are those that can be chosen."""

    columns: Sequence[str]
    column: str
    slices: Sequence[Slice]


def slices(
    session: Session, evidence: Evidence, scored: Scored | None, thresholds: Mapping[str, float], column: str = ""
) -> Slices:
    """The audit answers by ``column``, or by the first there is."""
    columns_by_asset: dict[str, dict[str, Any]] = dict(
        session.execute(
            select(Asset.asset_id, Asset.columns).where(Asset.asset_id.in_(evidence.labels.asset_ids))
        ).all()
    )
    columns = sorted({name for values in columns_by_asset.values() for name in (values or {})})
    shown_column = column if column in columns else (columns[0] if columns else "")
    if scored is None or not shown_column:
        return Slices(columns, shown_column, ())
    keep = np.flatnonzero(evidence.labels.decided())
    values = groups([(columns_by_asset.get(evidence.labels.asset_ids[i]) or {}).get(shown_column) for i in keep])
    slice_rows = []
    for value in dict.fromkeys(values):
        here = keep[[slice_value == value for slice_value in values]]
        slice_rows.append(_slice(value, evidence, scored, thresholds, here))
    last = (OTHERS, NONE)
    slice_rows.sort(key=lambda slice_value: (slice_value.value in last, -slice_value.n, slice_value.value))
    return Slices(columns, shown_column, slice_rows)


def groups(values: Sequence[Any]) -> list[str]:
    """Each value's slice: quarters of a column of many numbers, else the value itself, the rare ones together."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    present = [value for value in values if value not in (None, "")]
    if present and len(numbers) == len(present) and len(set(numbers)) >= NUMBERS:
        return _quarters(values, np.array(numbers, dtype=np.float64))
    names = [NONE if value in (None, "") else str(value)[:60] for value in values]
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    most_common = set(sorted(counts, key=lambda name: (-counts[name], name))[:MOST])
    return [name if name in most_common else OTHERS for name in names]


def _quarters(values: Sequence[Any], numbers: npt.NDArray[np.float64]) -> list[str]:
    edges = np.unique(np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    names = [f"{lo:g} to {hi:g}" for lo, hi in pairwise(edges)]

    def of(value: Any) -> str:
        if value in (None, ""):
            return NONE
        return names[min(int(np.searchsorted(edges, value, side="right")) - 1, len(names) - 1)]

    return [of(value) for value in values]


def _slice(
    value: str, evidence: Evidence, scored: Scored, thresholds: Mapping[str, float], rows: npt.NDArray[np.intp]
) -> Slice:
    n = len(rows)
    if n < LEAST:
        few = Quality(n=n, reason=f"{counted(n, 'audit answer')}, at least {LEAST} are needed")
        return Slice(value, n, few, few)
    labels: Labels = evidence.labels.subset(rows)
    truth, weight, probabilities = labels.majority(), 1.0 / evidence.inclusion[rows], scored.audited[rows]
    predicted = decide(probabilities, evidence.classes, thresholds)
    share, lo, hi = weighted_share(predicted == truth, weight)
    pi = evidence.inclusion[rows]
    led = None if scored.pool_inclusion is None else pi
    audit = Audited.of(labels, (probabilities,), pi, evidence.classes, (None,), led)
    return Slice(value, n, Quality(share, lo, hi, n), _average_precision(audit, evidence))


def _average_precision(audit: Audited, evidence: Evidence) -> Quality:
    """Of the slice's audit answers by their weights. From a score curve: a bootstrap of so few would be too sure."""
    generator, samples, n = np.random.default_rng(evidence.seed), [], len(audit.majority)
    for name in headline(evidence.classes):
        column = evidence.classes.index(name)
        if reason := too_few(audit.truth(column)):
            return Quality(n=n, reason=f"“{name}” has {reason}")
        samples.append(audit.populations(column, generator).average_precisions())
    sample = np.mean(samples, axis=0)
    mean = float(np.nanmean(sample))
    return Quality(mean, *percentile_interval(sample, mean, EARLY_LEVEL if n < FULL else LEVEL), n, early=n < FULL)
