"""One learning round: labels, probe, honest figures, and the run that records them."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from attune.labeler.assets.active_encoder import prompt_vectors
from attune.labeler.attributes import attributes
from attune.labeler.jobs.learn_lease import Lease
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import EXPERT_WEIGHTS, LEANS_ON
from attune.models.catalog.probe_files import probe_bytes
from attune.models.clock import now
from attune.models.errors import EncoderError
from attune.models.evaluation.audit_pace import Pace
from attune.models.labels.answers import SKIP
from attune.models.labels.class_coverage import BY_CLASS, LEARNED
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.workers.rounds import audit_questions, round_figures
from attune.workers.rounds.snapshot import Snapshot
from attune.workers.rounds.stop_advice import advice

log = logging.getLogger("attune.learn")
LOOK_AGAIN = timedelta(minutes=5)  # for an encoder that is not on this machine
_without: dict[tuple[str, str], tuple[datetime, str]] = {}  # model and weights -> when they were missing, and why


@dataclass(frozen=True, eq=False)
class Learned:
    """What a round ended with: the probe, its figures, and the number of the run that records both."""

    probe: Probe
    metrics: dict[str, dict[str, Any]]
    run: int
    fresh: bool  # False where nothing had changed and the last run stands
    pace: Pace


def known_prompts(settings: Settings, snapshot: Snapshot) -> Prompts | None:
    """What is known beside the answers: the attribute's prompts and what is published of others; None for nothing."""
    said = embedded_prompts(settings, snapshot.attribute)
    if not snapshot.relatives:
        return said
    return replace(said or Prompts(), relatives=np.concatenate([one.heads for one in snapshot.relatives]))


def prompts_not_embedded(settings: Settings, attribute: Attribute) -> str:
    """Why the last round continued without the attribute's prompts; an empty string where they serve, or are none."""
    failed = _without.get((settings.encoder, settings.pretrained))
    given = any((attribute.prompts or {}).values())
    return f"The prompts of {attribute.name} are not used: {failed[1]}" if failed and given else ""


def embedded_prompts(settings: Settings, attribute: Attribute) -> Prompts | None:
    """The attribute's prompts as vectors, or None where it has none, or the encoder has no text tower or is not here.

    Vectors may have come from another machine, without their encoder: the answers are learned from anyway. It is
    looked for again after a while, as looking may take seconds.
    """
    key = (settings.encoder, settings.pretrained)
    failed = _without.get(key)
    if failed is not None and now() - LOOK_AGAIN < failed[0] <= now():
        return None
    try:
        prompts = _text_vectors(settings, attribute)
    except EncoderError as error:
        log.warning("the prompts of %s are not used: %s", attribute.name, error)
        _without[key] = (now(), str(error))
        return None
    _without.pop(key, None)
    return prompts


def _text_vectors(settings: Settings, attribute: Attribute) -> Prompts | None:
    prompt_texts = attribute.prompts or {}
    texts = [*prompt_texts.get("positive", []), *prompt_texts.get("negative", [])]
    by_class = prompt_texts.get("classes", {})
    everything = [*texts, *(text for positions in by_class.values() for text in positions)]
    vectors = prompt_vectors(settings, everything) if everything else None
    if vectors is None:
        return None
    lookup = dict(zip(everything, vectors, strict=True))
    return Prompts(
        positive=_stack(lookup, prompt_texts.get("positive", [])),
        negative=_stack(lookup, prompt_texts.get("negative", [])),
        classes={
            name: np.stack([lookup[text] for text in positions]) for name, positions in by_class.items() if positions
        },
    )


def _stack(lookup: dict[str, npt.NDArray[Any]], texts: list[str]) -> npt.NDArray[Any] | None:
    return np.stack([lookup[text] for text in texts]) if texts else None


def learn(settings: Settings, snapshot: Snapshot, prompts: Prompts | None, lease: Lease) -> Learned:
    """Fit, evaluate and record; where answers, prompts, encoder and relatives are as in the last run, that run stands.

    Raises JobSuperseded, with nothing written, where a newer learner holds the attribute.
    """
    started = now()
    classes = snapshot.attribute.classes
    probe = round_figures.fit_probe(snapshot, prompts)
    last = snapshot.last_run
    if last is not None and last.data_digest == snapshot.digest and last.code_version == code_version():
        return Learned(probe, last.metrics, last.number, fresh=False, pace=audit_questions.pace_of(snapshot, last))
    lines = round_figures.thresholds(snapshot, round_figures.calibrated(snapshot, probe))
    cuts = round_figures.threshold_by_class(lines, classes)
    measured = round_figures.measure(snapshot, probe, prompts, cuts)
    metrics = {name: metric.to_dict() for name, metric in measured.items()}
    run_advice = advice(settings, snapshot, probe, measured)
    pace = audit_questions.pace(snapshot, run_advice.state, measured["average_precision"])
    run_advice = replace(
        run_advice,
        audits=audit_questions.audit_plan(snapshot, pace),
        thresholds=cuts if lines else None,
        lines=[threshold.to_dict() for threshold in lines] if lines else None,
        reliance=replace(snapshot.reliance, weighed=snapshot.weigh),
        outlook=snapshot.advice.outlook,
        pages=snapshot.advice.pages,
    )
    number = record_run(snapshot, probe, metrics, run_advice, lease, started)
    return Learned(probe, metrics, number, fresh=True, pace=pace)


def record_run(
    snapshot: Snapshot,
    probe: Probe,
    metrics: dict[str, dict[str, Any]],
    run_advice: RunAdvice,
    lease: Lease,
    started: datetime,
) -> int:
    """Write the run in one transaction, under the lease's token; the run's number."""
    attribute = snapshot.attribute
    with lease.writing() as session:
        newest = session.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute.id)) or 0
        session.add(
            Run(
                attribute_id=attribute.id,
                number=newest + 1,
                revision=attribute.revision,
                token=lease.token,
                encoder_digest=snapshot.view.fingerprint.digest,
                answers_counter=attribute.answers_counter,
                answers=snapshot.count,
                chosen=snapshot.chosen,
                labels=summary(snapshot),
                seed=attributes.kept_with_runs(snapshot.seed),
                data_digest=snapshot.digest,
                code_version=code_version(),
                metrics=metrics,
                advice=run_advice.to_dict(),
                probe=probe_bytes(probe.weight_, probe.bias_, probe.calibration_),
                started_at=started,
                finished_at=now(),
            )
        )
    return newest + 1


def summary(snapshot: Snapshot) -> dict[str, Any]:
    """Counts of what was asked and said: by class, expert and purpose."""
    answers = snapshot.newest
    counted = [answer for answer in answers if answer.value != SKIP]
    return {
        "answers": len(counted),
        "assets": len({answer.asset_id for answer in counted}),
        BY_CLASS: dict(Counter(answer.value for answer in counted)),
        LEARNED: dict(zip(snapshot.attribute.classes, snapshot.training.counts().tolist(), strict=True)),
        "experts": dict(Counter(answer.expert for answer in counted)),
        "purposes": dict(Counter(answer.purpose for answer in counted)),
        "skipped": len(answers) - len(counted),
        "trained_on": len(snapshot.training),
        "audited": len(snapshot.audited),
        "audits_pending": pending_audits(snapshot),
        **({LEANS_ON: [related.reference for related in snapshot.relatives]} if snapshot.relatives else {}),
        **({EXPERT_WEIGHTS: snapshot.weights} if snapshot.weights else {}),
    }


def pending_audits(snapshot: Snapshot) -> int:
    """Audits that the design has drawn and no one has answered yet: the others' weights count on their answers too."""
    rows = audit_questions.visible_audit_rows(snapshot)
    drawn_rows = rows[snapshot.design.drawn(snapshot.view.pool.asset_ids[rows])]
    told = snapshot.view.pool.positions(list({answer.asset_id for answer in snapshot.measuring}))
    return int((~np.isin(drawn_rows, told)).sum())


def code_version() -> str:
    """The installed version of Attune."""
    return version("attune")
