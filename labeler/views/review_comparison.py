"""A run beside the champion, as the audit answers of today measure both: gathered once, for every page that judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates
from attune.labeler.catalog.audit_evidence import Evidence, Scored, paired
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.run_facts import find_run
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.evaluation.metrics import Metric


@dataclass(frozen=True, eq=False)
class Comparison:
    """``run`` beside ``champion``, with the ``gates`` that judge the run.

    ``mine`` and ``theirs`` are what each says of the audit images, None where that cannot be worked out today;
    ``metrics`` are the run's. ``difference`` is None where there is no champion, or the run is it.
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

    @property
    def rival(self) -> Run | None:
        """The champion, unless it is the run itself."""
        return None if self.champion is None or self.champion.id == self.run.id else self.champion


def compare(settings: Settings, name: str, candidate: str | int) -> Comparison:
    """Measure run ``candidate`` (a number, or the newest) of ``name``. Raises UnknownAttribute, UnknownProbe."""
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        run = find_run(session, attribute, candidate)
    champion, evidence = gates.champion_of(settings, name), gather(settings, name)
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
    return Comparison(attribute, run, champion, evidence, mine, theirs, metrics, difference, judged)
