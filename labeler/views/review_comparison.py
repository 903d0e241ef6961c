"""A run beside the champion, as the audit answers of today measure both: gathered once, for every page that judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates, kept_review
from attune.labeler.catalog.audit_evidence import Evidence, Scored, paired
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.kept_review import Kept, Made
from attune.labeler.catalog.run_facts import LATEST, find_run
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import NotMeasured
from attune.models.evaluation.metrics import Metric


@dataclass(frozen=True, eq=False)
class Comparison:
    """``run`` beside ``champion``, with the ``gates`` that judge the run.

    ``mine`` and ``theirs`` are what each says of the audit images, None where that cannot be worked out today;
    ``metrics`` are the run's. ``difference`` is None where there is no champion, or the run is it. ``made`` says when a
    worker measured all this, None where it was measured now.
    """

    attribute: Attribute
    run: Run
    champion: Run | None
    evidence: Evidence
    mine: Scored | None
    theirs: Scored | None
    metrics: Mapping[str, Metric]
    difference: Metric | None
    gates: Sequence[Gate]
    made: Made | None = None

    @property
    def rival(self) -> Run | None:
        """The champion, unless it is the run itself."""
        return None if self.champion is None or self.champion.id == self.run.id else self.champion


def compare(settings: Settings, name: str, candidate: str | int) -> Comparison:
    """Run ``candidate`` of ``name`` (a number, or the newest) beside the champion.

    Where the question is large nothing is measured here: the figures are those that a worker left, and the newest run
    is the newest that has some. Raises UnknownAttribute, UnknownProbe, and NotMeasured where a worker left none.
    """
    champion = gates.champion_of(settings, name)
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        run = find_run(session, attribute, candidate)
        kept = None
        if kept_review.is_large(attribute):
            kept = _kept(settings, session, attribute, run, champion, candidate == LATEST)
            run = find_run(session, attribute, kept.run)
    evidence = gather(settings, name) if kept is None else kept.evidence
    rival = None if champion is None or champion.id == run.id else champion
    mine = None if evidence.why_not(run) else evidence.scored(run)
    theirs = None if rival is None or evidence.why_not(rival) else evidence.scored(rival)
    metrics = gates.measured(evidence, run, mine)
    difference = None
    if mine is not None and theirs is not None:
        difference = evidence.difference(mine, theirs)
    elif rival is not None:
        difference = paired(evidence, run, rival)
    judged = gates.outcome(settings, evidence, run, champion, metrics, difference)
    made = None if kept is None else kept.made
    return Comparison(attribute, run, champion, evidence, mine, theirs, metrics, difference, judged, made)


def _kept(
    settings: Settings, session: Session, attribute: Attribute, run: Run, champion: Run | None, newest: bool
) -> Kept:
    """What a worker left of ``run``, or with ``newest`` of the newest run that it measured."""
    beside = 0 if champion is None else champion.number
    numbers = [run.number]
    if newest and (last := kept_review.newest(settings, attribute, beside)) is not None:
        numbers.append(last)
    for number in numbers:
        if (kept := kept_review.find(settings, session, attribute, number, beside)) is not None:
            return kept
    raise NotMeasured(attribute.name)
