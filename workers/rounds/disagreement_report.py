"""Each expert on the audit, beside the others and the newest probe, and what the audit says without the odd one."""

from __future__ import annotations

from dataclasses import replace

from attune.labeler.records.run_advice import AgreesWithProbe, BesideProbe, RunAdvice
from attune.models.evaluation.evaluate import evaluate_audit
from attune.models.evaluation.metrics import Metric
from attune.models.labels.answers import AUDIT, latest
from attune.models.labels.disagreeing_experts import (
    AuditAnswer,
    ExpertDifference,
    agreement_with_probe,
    differing_expert,
)
from attune.models.probes.calibration import cross_calibrated
from attune.models.probes.decision import NO_LABEL, decide
from attune.models.probes.probe import Probe
from attune.workers.rounds import round_figures
from attune.workers.rounds.snapshot import Snapshot


def report(snapshot: Snapshot, probe: Probe) -> BesideProbe:
    """Each expert beside the probe, and how one of them differs from the others, if one does.

    A calibrated probe. None of it teaches anything: audit answers stay apart from training. Images that a person chose
    and the design drew later are left out, as who is asked those does depend on the image.
    """
    classes = list(snapshot.attribute.classes)
    audits, _ = round_figures.audit_answers(snapshot)
    places = snapshot.view.pool.positions(audits.asset_ids)
    raw = round_figures.logits(snapshot, probe, places)
    predicted = decide(round_figures.probabilities(probe, raw), classes, {})
    # Where no class leads the probe contradicts no one.
    says = {asset: int(row) for asset, row in zip(audits.asset_ids, predicted, strict=True) if row != NO_LABEL}
    audit_answers = [
        answer
        for answer in latest(snapshot.first_answers)
        if answer.purpose == AUDIT and answer.asset_id in says and (answer.asset_id, answer.expert) not in snapshot.own
    ]
    answers = [
        AuditAnswer(answer.expert, classes.index(answer.value), says[answer.asset_id])
        for answer in sorted(audit_answers, key=lambda answer: (answer.answered_at, answer.asset_id, answer.expert))
        if answer.value in classes
    ]
    beside = tuple(AgreesWithProbe(name, metric.to_dict()) for name, metric in agreement_with_probe(answers).items())
    odd = differing_expert(answers, len(classes), previously_named(snapshot))
    if odd is None:
        return BesideProbe(beside)
    rest = metric_without_expert(snapshot, probe, odd.expert).to_dict()
    return BesideProbe(beside, odd.expert, sentence(odd, classes), rest)


def previously_named(snapshot: Snapshot) -> str | None:
    """Who was named by the last run of this revision."""
    last = snapshot.last_run
    if last is None or last.revision != snapshot.attribute.revision:
        return None
    beside = RunAdvice.from_dict(last.advice).beside_probe
    return beside.odd if beside else None


def sentence(odd: ExpertDifference, classes: list[str]) -> str:
    """How the odd one differs, without a name."""
    share, others = round(100 * odd.share), round(100 * odd.others)
    if odd.what is not None:
        name = classes[odd.what]
        return f"On audit images, this expert answers “{name}” for {share} % of the images, the others for {others} %."
    return (
        f"On audit images, the probe disagrees with {share} % of this expert's answers and with {others} % of the "
        "other experts' answers."
    )


def metric_without_expert(snapshot: Snapshot, probe: Probe, expert: str) -> Metric:
    """The average precision of ``probe`` on the audit answers of all but ``expert``, measured like the run's own."""
    others = tuple(one for one in snapshot.first_answers if one.expert != expert)
    rest = replace(snapshot, answers=others, firsts=others)
    audited, inclusion = round_figures.audit_answers(rest)
    if not len(audited):
        return evaluate_audit(audited, [], inclusion, rest.attribute.classes)["average_precision"]
    raw = round_figures.logits(rest, probe, rest.view.pool.positions(audited.asset_ids))
    metrics = evaluate_audit(
        audited, cross_calibrated(raw, audited, inclusion, seed=rest.seed), inclusion, rest.attribute.classes,
        pool=round_figures.probabilities(probe, round_figures.logits(rest, probe, round_figures.reserved_rows(rest))),
        seed=rest.seed,
    )  # fmt: skip
    return metrics["average_precision"]
