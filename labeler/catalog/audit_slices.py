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
from attune.models.evaluation.audit_answers import Audited
from attune.models.evaluation.evaluate import headline
from attune.models.evaluation.intervals import LEVEL, percentile_interval, share_interval
from attune.models.evaluation.metrics import EARLY_LEVEL, FULL, Metric, too_few, unknown
from attune.models.labels.labels import Labels
from attune.models.probes.decision import decide
from attune.models.text import counted

LEAST = 10  # audit answers in a slice, below which a share says nothing
MOST = 12
NUMBERS = 8  # so many different numbers and more become quarters
OTHERS, NONE = "all others", "not stated"
AGREES, PRECISION = "agrees", "average_precision"


@dataclass(frozen=True)
class Slice:
    """The audited images with one value: how often the run agrees with the experts, and its average precision."""

    value: str
    n: int
    agrees: Metric
    average_precision: Metric

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Slice:
        """What ``asdict`` wrote."""
        return cls(kept["value"], kept["n"], *(Metric.from_dict(kept[name]) for name in (AGREES, PRECISION)))


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
    columns = _columns(session, evidence)
    shown_column = column if column in columns else (columns[0] if columns else "")
    if scored is None or not shown_column:
        return Slices(columns, shown_column, ())
    found = evidence.remember(
        ("slices", scored.run, tuple(sorted(thresholds.items())), shown_column),
        lambda: _slices(_values(session, evidence, shown_column), evidence, scored, thresholds),
        lambda kept: [Slice.read(one) for one in kept],
    )
    return Slices(columns, shown_column, found)


def _columns(session: Session, evidence: Evidence) -> list[str]:
    def read() -> list[str]:
        every = session.scalars(select(Asset.columns).where(Asset.asset_id.in_(evidence.labels.asset_ids)))
        return sorted({name for values in every for name in (values or {})})

    return evidence.remember(("columns",), read, list)


def _values(session: Session, evidence: Evidence, column: str) -> list[Any]:
    """What each audited asset has in ``column``, None where it has nothing."""
    ids = evidence.labels.asset_ids
    rows = session.execute(select(Asset.asset_id, Asset.columns).where(Asset.asset_id.in_(ids)))
    by_asset = {asset: (columns or {}).get(column) for asset, columns in rows}
    return [by_asset.get(one) for one in ids]


def _slices(values: Sequence[Any], evidence: Evidence, scored: Scored, thresholds: Mapping[str, float]) -> list[Slice]:
    keep = np.flatnonzero(evidence.labels.decided())
    named = groups([values[i] for i in keep])
    found = []
    for value in dict.fromkeys(named):
        here = keep[[one == value for one in named]]
        found.append(_slice(value, evidence, scored, thresholds, here))
    return sorted(found, key=lambda one: (one.value in (OTHERS, NONE), -one.n, one.value))


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
        why = f"{counted(n, 'audit answer')}, at least {LEAST} are needed"
        return Slice(value, n, unknown(AGREES, n, "", why), unknown(PRECISION, n, "", why))
    labels: Labels = evidence.labels.subset(rows)
    truth, weight, probabilities = labels.majority(), 1.0 / evidence.inclusion[rows], scored.audited[rows]
    predicted = decide(probabilities, evidence.classes, thresholds)
    share, lo, hi = weighted_share(predicted == truth, weight)
    pi = evidence.inclusion[rows]
    led = None if scored.pool_inclusion is None else pi
    audit = Audited.of(labels, (probabilities,), pi, evidence.classes, (None,), led)
    return Slice(value, n, Metric(AGREES, share, lo, hi, n, ""), _average_precision(audit, evidence))


def weighted_share(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The weighted share of hits with Jeffreys' interval at the effective number of answers (Kish)."""
    total = float(weight.sum())
    share = float(weight[hit].sum()) / total
    effective = total**2 / float((weight**2).sum())
    lo, hi = share_interval(share * effective, effective)
    return share, min(lo, share), max(hi, share)


def _average_precision(audit: Audited, evidence: Evidence) -> Metric:
    """Of the slice's audit answers by their weights. From a score curve: a bootstrap of so few would be too sure."""
    generator, samples, n = np.random.default_rng(evidence.seed), [], len(audit.majority)
    for name in headline(evidence.classes):
        column = evidence.classes.index(name)
        if reason := too_few(audit.truth(column)):
            return unknown(PRECISION, n, "", f"“{name}” has {reason}")
        samples.append(audit.populations(column, generator).average_precisions())
    sample = np.mean(samples, axis=0)
    mean = float(np.nanmean(sample))
    level = EARLY_LEVEL if n < FULL else LEVEL
    return Metric(PRECISION, mean, *percentile_interval(sample, mean, level), n, "", level=level)
