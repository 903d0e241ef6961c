"""Figures of a review that take long: agreement of the experts, curves of a class, the span of a run's answers.

Each is worked out once for as long as its evidence stands, and read from what a worker left where the question is
large (`kept_review`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import answers, is_valid
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.records.schema import Annotation, Run
from attune.models.evaluation.audit_answers import Audited
from attune.models.evaluation.audit_curves import Band, precision_recall, reliability
from attune.models.evaluation.metrics import Metric
from attune.models.labels.agreement import alpha, panel_parity
from attune.models.labels.agreement_sample import comparable
from attune.models.labels.panel import Panel

Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha of the panel; Cohen's kappa of one expert, and of the probe, with the others' majority.

    ``chosen`` answers do not count, as their experts chose the images themselves.
    """

    alpha: Metric
    expert: Metric
    probe: Metric
    difference: Metric
    chosen: int

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Agreement:
        """What ``asdict`` wrote."""
        metrics = {name: Metric.from_dict(kept[name]) for name in ("alpha", "expert", "probe", "difference")}
        return cls(**metrics, chosen=kept["chosen"])


def together(evidence: Evidence) -> Metric | None:
    """Krippendorff's alpha of the experts; None where there are no answers."""
    return evidence.remember(
        ("alpha",),
        lambda: alpha(_panel(evidence), seed=evidence.seed) if evidence.firsts else None,
        lambda kept: None if kept is None else Metric.from_dict(kept),
    )


def agreement(evidence: Evidence, scored: Scored | None) -> Agreement:
    """Agreement on images that nobody chose and that were not asked again out of doubt.

    Parity is of audit answers alone, as the probe has learned from the rest.
    """
    key = ("agreement", None if scored is None else scored.run)
    return evidence.remember(key, lambda: _agreement(evidence, scored), Agreement.read)


def _agreement(evidence: Evidence, scored: Scored | None) -> Agreement:
    panel = _panel(evidence)
    proba = np.full((len(panel.asset_ids), len(panel.classes)), np.nan)
    if scored is not None:
        row = {asset: i for i, asset in enumerate(panel.asset_ids)}
        for asset, probabilities in zip(evidence.labels.asset_ids, scored.audited, strict=True):
            if asset in row:
                proba[row[asset]] = probabilities
    parity = panel_parity(panel, proba, evidence.seed)
    chosen = sum((one.asset_id, one.expert) in evidence.own for one in evidence.firsts)
    shared = together(evidence) or alpha(panel, seed=evidence.seed)
    return Agreement(shared, parity.expert, parity.probe, parity.difference, chosen)


def _panel(evidence: Evidence) -> Panel:
    return Panel.of(comparable(evidence.firsts, evidence.own, evidence.seed), evidence.classes)


def curves(evidence: Evidence, scored: Scored, column: int) -> tuple[Band, Band]:
    """Precision against recall, and reliability, of the class at place ``column``."""
    return evidence.remember(
        ("plots", scored.run, column),
        lambda: _curves(evidence, scored, column),
        lambda kept: (_band(kept[0]), _band(kept[1])),
    )


def _curves(evidence: Evidence, scored: Scored, column: int) -> tuple[Band, Band]:
    world = audited(evidence, scored).populations(column, np.random.default_rng(evidence.seed))
    return precision_recall(world), reliability(world)


def truth(evidence: Evidence, column: int) -> npt.NDArray[np.float64]:
    """Whether each decided audit image is of the class at place ``column``, 0 or 1."""
    return np.asarray(evidence.labels.majority()[evidence.labels.decided()] == column, dtype=np.float64)


def audited(evidence: Evidence, scored: Scored) -> Audited:
    """The audit answers under a run's scores."""
    return Audited.of(
        evidence.labels, (scored.audited,), evidence.inclusion, evidence.classes, (scored.pool,), scored.pool_inclusion
    )


def _band(kept: Mapping[str, Any]) -> Band:
    return Band(**{name: np.array(kept[name], dtype=np.float64) for name in ("at", "value", "lo", "hi")})


def span(session: Session, evidence: Evidence, run: Run) -> Span:
    """When the first and the last of the answers that ``run`` could see were given."""

    def read(kept: Any) -> Span:
        first, last = (None if one is None else datetime.fromisoformat(one) for one in kept)
        return first, last

    return evidence.remember(("span", run.number), lambda: _span(session, evidence.attribute.id, run), read)


def _span(session: Session, attribute_id: int, run: Run) -> Span:
    answer = answers([attribute_id], which=is_valid() & (Annotation.received_at <= run.started_at))
    first, last = session.execute(select(func.min(answer.c.answered_at), func.max(answer.c.answered_at))).one()
    return first, last
