"""The verdict on a run of today's records: what ``verdict`` needs to know, gathered once for every page that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates
from attune.labeler.catalog.audit_evidence import Evidence, paired
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.run_facts import find_run
from attune.labeler.records.schema import Attribute, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import measuring
from attune.labeler.views.quality import AUDIT, Quality, of
from attune.labeler.views.verdict import Compared, Verdict, verdict
from attune.models.evaluation.metrics import Metric


def of_run(settings: Settings, name: str, number: int) -> tuple[Verdict, list[Gate]]:
    """The verdict on run ``number`` and the gates behind it. Raises UnknownAttribute, UnknownProbe."""
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        run = find_run(session, attribute, number)
    champion, evidence = gates.champion_of(settings, name), gather(settings, name)
    figures = gates.measured(evidence, run, None if evidence.why_not(run) else evidence.scored(run))
    difference = None if champion is None or champion.id == run.id else paired(evidence, run, champion)
    judged = gates.outcome(settings, evidence, run, champion, figures, difference)
    with reading(settings) as session:
        return build(session, attribute, evidence, run, champion, figures, difference, judged), judged


def build(
    session: Session,
    attribute: Attribute,
    evidence: Evidence,
    run: Run,
    champion: Run | None,
    figures: Mapping[str, Metric],
    difference: Metric | None,
    judged: Sequence[Gate],
) -> Verdict:
    """The verdict from figures that were measured already."""
    reasons = [evidence.why_not(one) for one in (run, champion) if one is not None]
    quality = figures.get(AUDIT)
    row = session.scalar(select(Version).where(Version.attribute_id == attribute.id, Version.version == run.number))
    audit = measuring.read(session, attribute)
    return verdict(
        Compared(
            candidate=run.number,
            champion=None if champion is None else champion.number,
            version=row is not None,
            retired=row is not None and row.retired_at is not None,
            quality=Quality(reason="none was measured") if quality is None else of(quality),
            difference=None if difference is None else of(difference),
            gates=judged,
            incomparable=next((why for why in reasons if why and _stays(evidence, why)), ""),
            answered=len(evidence.labels),
            waiting=audit.waiting,
            left=audit.left,
        )
    )


def _stays(evidence: Evidence, why: str) -> bool:
    """Whether more audit answers would not help: the pool is empty, or the encoder or the classes are others."""
    return evidence.view is None or why != evidence.missing
