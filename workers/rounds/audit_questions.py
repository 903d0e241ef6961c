"""Which audits a round asks: those drawn and forgotten, those that the stream owes, and batches on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.labeler.attributes.audit_batches import Wanted
from attune.labeler.catalog.gates import RULES
from attune.labeler.records.run_advice import AuditPlan, RunAdvice
from attune.labeler.records.schema import Run
from attune.models.evaluation import audit_pace
from attune.models.evaluation.audit_pace import Pace
from attune.models.evaluation.audit_titles import reserved_in
from attune.models.evaluation.metrics import Metric
from attune.models.labels.answers import AUDIT, IMPORT, SKIP, latest
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


def pace(seen: Snapshot, state: str, figure: Metric | None) -> Pace:
    """How fast the stream goes after this round, from the newest advice and the audit's figure."""
    base = seen.learner.audit_share
    share, why = audit_pace.stream_share(
        base,
        len(seen.training),
        state,
        figure.n if figure is not None else 0,
        figure.width if figure is not None and figure.value is not None else None,
        needed=gate_bound(seen),
        goal=Goals().width,
    )
    held = seen.advice.audits
    return audit_pace.go_on(held.pace if held else None, others(seen), base, share, why, after(seen))


def pace_of(seen: Snapshot, run: Run) -> Pace:
    """The pace that a run kept; worked out anew for a run of an earlier version."""
    said = RunAdvice.from_dict(run.advice)
    if said.audits and said.audits.pace:
        return said.audits.pace
    figure = run.metrics.get("average_precision")
    return pace(seen, said.state, Metric.from_dict(figure) if figure else None)


def told(seen: Snapshot, now: Pace) -> AuditPlan:
    """What a run keeps of its audits: the pace, how many are drawn, how many could still be, and the batches."""
    rows, drawn, missing = _totals(seen, now)
    return AuditPlan(
        **now.to_dict(),
        drawn=drawn,
        left=max(0, len(rows) - drawn - missing),
        extra=Wanted.of(seen.attribute).extra,
        needed=gate_bound(seen),
    )


def gate_bound(seen: Snapshot) -> int:
    """How many audit answers the attribute's gate waits for."""
    gates = seen.attribute.settings.get("gates") or {}
    return int((gates.get("audit_answers") or {}).get("bound", RULES["audit_answers"].bound))


def others(seen: Snapshot) -> int:
    """Answers to questions that were no audits, skips left out: what a file brought was asked of nobody."""
    return sum(answer.purpose not in (AUDIT, IMPORT) and answer.value != SKIP for answer in latest(seen.answers))


def after(seen: Snapshot) -> int:
    """After how many answers the stream begins: imported ones make a probe that is worth measuring, too."""
    imported = sum(answer.purpose == IMPORT and answer.value != SKIP for answer in latest(seen.answers))
    return max(0, seen.learner.audit_after - imported)


def shown(seen: Snapshot) -> npt.NDArray[np.intp]:
    """Pool rows of all audit titles that may still be shown."""
    if not seen.learner.reserved_share:
        return np.empty(0, dtype=np.intp)
    rows = np.flatnonzero(seen.view.keys >= 0).astype(np.intp)
    return rows[reserved_in(seen.view.pool, rows, seen.learner.reserved_share, seen.seed)]


def questions(seen: Snapshot, probe: Probe, now: Pace) -> Audits:
    """The round's audits; ``seen.design`` is extended by those drawn here.

    The totals are what counts, not the events: a round that was killed after drawing, or before, draws no audit twice
    and leaves none out. A batch on demand is drawn at once and asked over several rounds (``queue_plan.deal``): what
    was drawn and is asked of nobody yet comes again, for the experts whom the newest request names.
    """
    if not seen.queues:
        return Audits()
    lost = forgotten(seen)
    wanted = Wanted.of(seen.attribute)
    rows, _, missing = _totals(seen, now)
    if not missing:
        return Audits(tuple(lost), tuple(wanted.experts) if wanted.coming else ())
    logits = round_figures.logits(seen, probe, rows)
    fresh = draw_audits(seen.view.pool, rows, logits, seen.design, missing)
    named = tuple(wanted.experts) if wanted.coming or wanted.extra > _known_extra(seen) else ()
    return Audits((*lost, *pinned_images.unasked(seen, fresh)), named)


def _totals(seen: Snapshot, now: Pace) -> tuple[npt.NDArray[np.intp], int, int]:
    """Pool rows of the audit titles, how many of them are drawn, and how many more should be."""
    rows = shown(seen)
    drawn = int(seen.design.drawn(seen.view.pool.asset_ids[rows].tolist()).sum()) if len(rows) else 0
    stream = audit_pace.due(now, AHEAD * len(seen.queues), after(seen))
    return rows, drawn, max(0, stream + Wanted.of(seen.attribute).extra - drawn)


def _known_extra(seen: Snapshot) -> int:
    """How many audits on demand the newest run knew of: those are drawn."""
    return seen.advice.audits.extra if seen.advice.audits else 0


def forgotten(seen: Snapshot) -> list[Ask]:
    """Audits that were drawn and are asked of nobody: the round that drew them ended before it could ask, or their
    only answer was set aside since."""
    rows = shown(seen)
    ids = seen.view.pool.asset_ids[rows].tolist()
    drawn = rows[seen.design.drawn(ids)] if len(rows) else rows
    held = pinned_images.measured(seen)
    names = [(int(row), str(seen.view.pool.asset_ids[row])) for row in drawn if int(row) not in held]
    return [Ask(row, name, AUDIT, 1.0, AUDIT_REASON, seen.design.inclusion(name)) for row, name in names]
