"""How far the experts agree, with each other and with the probe, and where a run's labels came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog import review_figures
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.records.schema import Encoder, Run
from attune.labeler.views.quality import Quality, of
from attune.models.catalog.manifest import EXPERT_WEIGHTS, LEANS_ON


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha of the panel; Cohen's kappa of one expert, and of the probe, with the others' majority.

    ``chosen`` answers do not count, as their experts chose the images themselves.
    """

    alpha: Quality
    expert: Quality
    probe: Quality
    difference: Quality
    chosen: int


@dataclass(frozen=True)
class Provenance:
    """What a run was made of: counts by class, expert and purpose, whose answers weighed less, when given, digests."""

    answers: int
    assets: int | None
    classes: Mapping[str, int]
    experts: Mapping[str, int]
    weights: Mapping[str, float]
    purposes: Mapping[str, int]
    trained_on: int | None
    audited: int | None
    leans_on: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    revision: int
    data_digest: str
    code_version: str
    encoder_digest: str
    encoder: Mapping[str, Any]


def agreement(evidence: Evidence, scored: Scored | None) -> Agreement:
    """Agreement on images that nobody chose and that were not asked again out of doubt."""
    found = review_figures.agreement(evidence, scored)
    return Agreement(of(found.alpha), of(found.expert), of(found.probe), of(found.difference), found.chosen)


def provenance(session: Session, evidence: Evidence, run: Run) -> Provenance:
    """The facts that ``run`` was recorded with, and the span of the answers it could see."""
    counts = run.labels or {}
    first, last = review_figures.span(session, evidence, run)
    encoder = session.scalar(select(Encoder.fingerprint).where(Encoder.digest == run.encoder_digest))
    return Provenance(
        answers=run.answers,
        assets=counts.get("assets"),
        classes=_counts(counts.get("classes")),
        experts=_counts(counts.get("experts")),
        weights=counts.get(EXPERT_WEIGHTS, {}),
        purposes=_counts(counts.get("purposes")),
        trained_on=counts.get("trained_on"),
        audited=counts.get("audited"),
        leans_on=tuple(counts.get(LEANS_ON, ())),
        first=first,
        last=last,
        revision=run.revision,
        data_digest=run.data_digest,
        code_version=run.code_version,
        encoder_digest=run.encoder_digest,
        encoder=encoder or {},
    )


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): int(count) for name, count in sorted(value.items(), key=lambda one: -int(one[1]))}
