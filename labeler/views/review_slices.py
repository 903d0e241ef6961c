"""A run's figures within the slices of an asset column, as the review shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from attune.labeler.catalog import audit_slices
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.views.quality import Quality, of


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
    found = audit_slices.slices(session, evidence, scored, thresholds, column)
    shown = [Slice(one.value, one.n, of(one.agrees), of(one.average_precision)) for one in found.slices]
    return Slices(found.columns, found.column, tuple(shown))
