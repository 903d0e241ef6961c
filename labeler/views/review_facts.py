"""How far the experts agree, with each other and with the probe, and where a run's labels came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import answers, is_valid
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.records.schema import Annotation, Attribute, Encoder, Run
from attune.labeler.views.quality import Quality, of
from attune.models.catalog.manifest import EXPERT_WEIGHTS, LEANS_ON
from attune.models.labels.agreement import alpha, panel_parity
from attune.models.labels.agreement_sample import comparable
from attune.models.labels.panel import Panel


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
    """Agreement on images that nobody chose and that were not asked again out of doubt.

    Parity is of audit answers alone, as the probe has learned from the rest.
    """
    panel = Panel.of(comparable(evidence.firsts, evidence.own, evidence.seed), evidence.classes)
    proba = np.full((len(panel.asset_ids), len(panel.classes)), np.nan)
    if scored is not None:
        row = {asset: i for i, asset in enumerate(panel.asset_ids)}
        for asset, probabilities in zip(evidence.labels.asset_ids, scored.audited, strict=True):
            if asset in row:
                proba[row[asset]] = probabilities
    parity = panel_parity(panel, proba, evidence.seed)
    chosen = sum((one.asset_id, one.expert) in evidence.own for one in evidence.firsts)
    return Agreement(
        of(alpha(panel, seed=evidence.seed)), of(parity.expert), of(parity.probe), of(parity.difference), chosen
    )


def provenance(session: Session, attribute: Attribute, run: Run) -> Provenance:
    """The facts that ``run`` was recorded with, and the span of the answers it could see."""
    counts = run.labels or {}
    answer = answers([attribute.id], which=is_valid() & (Annotation.received_at <= run.started_at))
    first_and_last = select(func.min(answer.c.answered_at), func.max(answer.c.answered_at))
    first, last = session.execute(first_and_last).one()
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
