"""Which audits a round asks: those drawn and forgotten, those that the stream owes, and batches on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.labeler.attributes.audit_batches import AuditRequest
from attune.labeler.catalog.gates import RULES
from attune.labeler.records.run_advice import AuditPlan, RunAdvice
from attune.labeler.records.schema import Run
from attune.models.evaluation import audit_pace
from attune.models.evaluation.audit_design import by_class
from attune.models.evaluation.audit_pace import Pace
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.evaluation.metrics import Metric
from attune.models.labels.answers import AUDIT, IMPORT, SKIP
from attune.models.probes.probe import Probe
from attune.models.query.planner import AUDIT_REASON, Ask, draw_audits
from attune.models.query.stopping import Goals
from attune.workers.rounds import pinned_images, round_figures
from attune.workers.rounds.snapshot import Snapshot

AHEAD = 5  # answers a queue that audits are drawn ahead for: drawn later, they follow a better probe's scores


@dataclass(frozen=True)
class Audits:
    """The audits of one round, for the queues of ``experts`` (e-mail addresses; none means all)."""

    asks: tuple[Ask, ...] = ()
    experts: tuple[str, ...] = ()


def pace(snapshot: Snapshot, state: str, figure: Metric | None) -> Pace:
    """How fast the stream goes after this round, from the newest advice and the audit's figure."""
    base = snapshot.learner.audit_share
    share, why = audit_pace.stream_share(
        base,
        len(snapshot.training),
        state,
        figure.n if figure is not None else 0,
        figure.width if figure is not None and figure.value is not None else None,
        needed=gate_bound(snapshot),
        goal=Goals().width,
    )
    audit_plan = snapshot.advice.audits
    return audit_pace.continue_pace(
        audit_plan.pace if audit_plan else None,
        other_answers(snapshot),
        base,
        share,
        why,
        answers_before_audits(snapshot),
    )


def pace_of(snapshot: Snapshot, run: Run) -> Pace:
    """The pace that a run kept; worked out again for a run of an earlier version."""
    run_advice = RunAdvice.from_dict(run.advice)
    if run_advice.audits and run_advice.audits.pace:
        return run_advice.audits.pace
    figure = run.metrics.get("average_precision")
    return pace(snapshot, run_advice.state, Metric.from_dict(figure) if figure else None)


def audit_plan(snapshot: Snapshot, now: Pace) -> AuditPlan:
    """What a run keeps of its audits: the pace, how many are drawn, how many could still be, and the batches."""
    rows, drawn_count, missing = _totals(snapshot, now)
    return AuditPlan(
        **now.to_dict(),
        drawn=drawn_count,
        left=max(0, len(rows) - drawn_count - missing),
        extra=AuditRequest.of(snapshot.attribute).extra,
        needed=gate_bound(snapshot),
    )


def gate_bound(snapshot: Snapshot) -> int:
    """How many audit answers the attribute's gate waits for."""
    gates = snapshot.attribute.settings.get("gates") or {}
    return int((gates.get("audit_answers") or {}).get("bound", RULES["audit_answers"].bound))


def other_answers(snapshot: Snapshot) -> int:
    """Answers to questions that were no audits, skips left out: what a file brought was asked of no one."""
    return sum(answer.purpose not in (AUDIT, IMPORT) and answer.value != SKIP for answer in snapshot.newest)


def answers_before_audits(snapshot: Snapshot) -> int:
    """After how many answers the stream begins: imported ones make a probe that is worth measuring, too."""
    imported = sum(answer.purpose == IMPORT and answer.value != SKIP for answer in snapshot.newest)
    return max(0, snapshot.learner.audit_after - imported)


def visible_audit_rows(snapshot: Snapshot) -> npt.NDArray[np.intp]:
    """Pool rows of all audit titles that may still be shown, without the question's examples, which measure nobody."""
    if not snapshot.learner.reserved_share:
        return np.empty(0, dtype=np.intp)
    shown = snapshot.view.keys >= 0
    shown[snapshot.examples] = False
    rows = np.flatnonzero(shown)
    if snapshot.measured is not None:
        rows = rows[snapshot.measured[rows] >= 0]  # what was not measured cannot be checked
    return rows[pool_reserved_mask(snapshot.view.pool, rows, snapshot.learner.reserved_share, snapshot.seed)]


def plan_audits(snapshot: Snapshot, probe: Probe, now: Pace) -> Audits:
    """The round's audits; ``snapshot.design`` is extended by those drawn here.

    The totals are what counts, not the events: a round that was killed after drawing, or before, draws no audit twice
    and leaves none out. A batch on demand is drawn at once and asked over several rounds
    (``queue_plan.assign_to_queues``): what was drawn and is asked of no one yet comes again, for the experts whom the
    newest request names.
    """
    if not snapshot.queues:
        return Audits()
    lost = unasked_audits(snapshot)
    request = AuditRequest.of(snapshot.attribute)
    rows, _, missing = _totals(snapshot, now)
    if not missing:
        return Audits(tuple(lost), tuple(request.experts) if request.coming else ())
    if snapshot.measured is not None:
        weights = by_class(snapshot.measured[rows])
        fresh = draw_audits(snapshot.view.pool, rows, None, snapshot.design, missing, weights)
    else:
        logits = round_figures.logits(snapshot, probe, rows)
        fresh = draw_audits(snapshot.view.pool, rows, logits, snapshot.design, missing)
    named = tuple(request.experts) if request.coming or request.extra > _known_extra(snapshot) else ()
    return Audits((*lost, *pinned_images.unanswered_audits(snapshot, fresh)), named)


def _totals(snapshot: Snapshot, now: Pace) -> tuple[npt.NDArray[np.intp], int, int]:
    """Pool rows of the audit titles, how many of them are drawn, and how many more should be."""
    rows = visible_audit_rows(snapshot)
    drawn = int(snapshot.design.drawn(snapshot.view.pool.asset_ids[rows]).sum())
    stream = audit_pace.audits_due(now, AHEAD * len(snapshot.queues), answers_before_audits(snapshot))
    return rows, drawn, max(0, stream + AuditRequest.of(snapshot.attribute).extra - drawn)


def _known_extra(snapshot: Snapshot) -> int:
    """How many audits on demand the newest run knew of: those are drawn."""
    return snapshot.advice.audits.extra if snapshot.advice.audits else 0


def unasked_audits(snapshot: Snapshot) -> list[Ask]:
    """Audits that were drawn and are asked of no one: the round that drew them ended before it could ask, or their
    only answer was excluded since."""
    rows = visible_audit_rows(snapshot)
    drawn = rows[snapshot.design.drawn(snapshot.view.pool.asset_ids[rows])]
    left = drawn[~np.isin(drawn, list(pinned_images.measured(snapshot)))]
    names = snapshot.view.pool.asset_ids[left].tolist()
    asked = zip(left.tolist(), names, snapshot.design.inclusions(names).tolist(), strict=True)
    return [Ask(row, name, AUDIT, 1.0, AUDIT_REASON, chance) for row, name, chance in asked]
