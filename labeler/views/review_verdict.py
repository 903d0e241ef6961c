"""The verdict on a run of today's records: what ``verdict`` needs to know, for every page that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog.audit_evidence import Evidence
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.kept_review import Made
from attune.labeler.records.schema import Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import measuring, review_comparison, review_pairs
from attune.labeler.views.quality import AUDIT, Quality, of
from attune.labeler.views.review_comparison import Comparison
from attune.labeler.views.verdict import Compared, Verdict, verdict


@dataclass(frozen=True)
class Judged:
    """The verdict on a run, the ``gates`` behind it, and when a worker ``made`` the figures (None: they are of now)."""

    verdict: Verdict
    gates: Sequence[Gate]
    made: Made | None


def of_run(settings: Settings, name: str, number: int) -> Judged:
    """The verdict on run ``number``. Raises UnknownAttribute, UnknownProbe, and NotMeasured as `compare`."""
    found = review_comparison.compare(settings, name, number)
    with reading(settings) as session:
        return Judged(verdict_on(session, found), found.gates, found.made)


def verdict_on(session: Session, found: Comparison) -> Verdict:
    """The verdict from metrics that were measured already."""
    run, champion, evidence = found.run, found.champion, found.evidence
    reasons = [evidence.why_not(one) for one in (run, champion) if one is not None]
    quality = found.metrics.get(AUDIT)
    mine = (Version.attribute_id == found.attribute.id, Version.version == run.number)
    row = session.scalar(select(Version).where(*mine))
    audit = measuring.read(session, found.attribute)
    return verdict(
        Compared(
            candidate=run.number,
            champion=None if champion is None else champion.number,
            version=row is not None,
            retired=row is not None and row.retired_at is not None,
            quality=Quality(reason="none was measured") if quality is None else of(quality),
            difference=None if found.difference is None else of(found.difference),
            gates=found.gates,
            incomparable=next((why for why in reasons if why and _stays(evidence, why)), ""),
            answered=len(evidence.labels),
            waiting=audit.waiting,
            left=audit.left,
            changed=_changed(found),
        )
    )


def _changed(found: Comparison) -> tuple[int, int] | None:
    if found.rival is None or found.mine is None or found.theirs is None:
        return None
    parts = review_pairs.parted(found.evidence, found.run, found.rival, found.mine, found.theirs)
    return int(parts.won.sum()), int(parts.lost.sum())


def _stays(evidence: Evidence, why: str) -> bool:
    """Whether more audit answers would not help: the pool is empty, or the encoder or the classes are others."""
    return evidence.encoder is None or why != evidence.missing
