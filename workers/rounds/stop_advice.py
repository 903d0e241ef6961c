"""When to stop: what a round advises, from its figures and from how far earlier probes' rankings have moved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.attributes import revisions
from attune.labeler.measured import checks
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.evaluation.metrics import Metric
from attune.models.probes.calibration import LEAST_ANSWERS
from attune.models.probes.probe import Probe
from attune.models.query.stopping import Checkpoint, advise
from attune.workers.rounds import disagreement_report, round_figures
from attune.workers.rounds.snapshot import Snapshot

# Of the labels now: runs near these shares of them are the checkpoints that movement is measured between.
LOOK_BACK = (0.1, 0.18, 0.25, 0.35, 0.5, 0.7, 0.85)
STOP_SET = 2000
AT_ONCE = 65_536  # images


def advice(settings: Settings, snapshot: Snapshot, probe: Probe, metrics: dict[str, Metric]) -> RunAdvice:
    """When to stop, each expert beside the probe, and who differs from the others, where someone does."""
    if snapshot.measured is not None:
        return RunAdvice(state="labelling", advice=checks.purpose(snapshot.attribute))
    rows = round_figures.reserved_rows(snapshot)[:STOP_SET]
    raw = round_figures.logits(snapshot, probe, rows)
    labels = len(snapshot.training)
    positives, remaining = positives_to_find(snapshot, probe)
    differs, agreement = round_figures.agreement_without_one(snapshot, metrics.get("alpha")) or ("", None)
    result = advise(
        [*earlier_checkpoints(settings, snapshot, rows, labels), Checkpoint(labels, raw)],
        expected_share(probe, raw),
        average_precision=metrics.get("average_precision"),
        alpha=metrics.get("alpha"),
        alpha_without_one=agreement,
        found_positives=positives,
        remaining=remaining,
    )
    beside = disagreement_report.report(snapshot, probe)
    return RunAdvice(
        state=result.state,
        stop=result.stop,
        advice=result.sentence,
        evidence=result.evidence,
        expected_gain=result.expected_gain,
        next_answers=result.next_answers,
        beside_probe=beside,
        differs=beside.odd or (differs if result.state == "outlier" else "") or None,
    )


def earlier_checkpoints(
    settings: Settings, snapshot: Snapshot, rows: npt.NDArray[np.intp], labels: int
) -> list[Checkpoint]:
    """Probes of earlier runs on the stop set, as many as ``LOOK_BACK`` asks for."""
    with reading(settings) as session:
        since = revisions.comparable_since(session, snapshot.attribute)  # of other classes nothing can be compared
        encoder = Run.encoder_digest == snapshot.view.fingerprint.digest
        mine = (Run.attribute_id == snapshot.attribute.id, encoder, Run.revision >= since)
        trained_on = {
            number: int(label_facts.get("trained_on", 0))
            for number, label_facts in session.execute(select(Run.number, Run.labels).where(*mine))
        }
        numbers = (
            {min(trained_on, key=lambda number: abs(trained_on[number] - share * labels)) for share in LOOK_BACK}
            if trained_on
            else set()
        )
        probes = session.execute(select(Run.number, Run.probe).where(*mine, Run.number.in_(numbers))).all()
    x = snapshot.view.pool.rows(rows) if len(rows) and probes else None
    checkpoints = {}
    for number, content in probes:
        weights = read_probe(content)
        if x is not None and trained_on[number] < labels and weights.dimension == x.shape[1]:
            checkpoints[trained_on[number]] = Checkpoint(
                trained_on[number], (x @ weights.weight.T + weights.bias).astype(np.float64)
            )
    return list(checkpoints.values())


def expected_share(probe: Probe, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The share of each headline class to expect on the stop set (k,), or None where there is no stop set."""
    if not len(raw):
        return None
    means = round_figures.probabilities(probe, raw).mean(axis=0)[: raw.shape[1]]
    return np.asarray(np.clip(means, 0.005, 0.995), dtype=np.float64)


def positives_to_find(snapshot: Snapshot, probe: Probe) -> tuple[float | None, float | None]:
    """Positives found, and those to expect among images not asked about; only where probabilities can be believed."""
    if len(snapshot.attribute.classes) != 2 or len(snapshot.audited) < LEAST_ANSWERS:
        return None, None
    pool = snapshot.view.pool
    logits = pool.logits(probe.weight_, probe.bias_)
    free = np.ones(len(pool), dtype=bool)
    free[snapshot.answered] = False
    free[snapshot.view.hidden] = False
    rows = np.flatnonzero(free)
    first = np.empty(len(rows))
    for start in range(0, len(rows), AT_ONCE):  # of two million images all probabilities are there six times
        some = logits[rows[start : start + AT_ONCE]].astype(np.float64)
        first[start : start + AT_ONCE] = round_figures.probabilities(probe, some)[:, 0]
    remaining = first.sum()
    found_positives = snapshot.training.shares[:, 0].sum() + snapshot.audited.shares[:, 0].sum()
    return float(found_positives), float(remaining)
