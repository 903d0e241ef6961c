"""One learning round: labels, probe, honest figures, and the run that records them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from labeler.assets.encoder import prompt_vectors
from labeler.lease import Lease
from labeler.records.schema import Attribute, Run
from labeler.records.session import writing
from labeler.settings import Settings
from models import learner
from models.answers import SKIP, latest
from models.clock import now
from models.evaluation import cross_validated, evaluate_audit
from models.metrics import Metric
from models.priors import Prompts
from models.probe import Probe
from models.probe_files import probabilities, probe_bytes
from workers.snapshot import Snapshot

EVERY = 5  # labels between two cross-validations


@dataclass(frozen=True, eq=False)
class Learned:
    """What a round ended with: the probe, its figures, and the number of the run that records both."""

    probe: Probe
    metrics: dict[str, dict[str, Any]]
    run: int
    fresh: bool  # False where nothing had changed and the last run stands


def phrases(settings: Settings, attribute: Attribute) -> Prompts | None:
    """The attribute's prompts as vectors, or None where it has none or the encoder has no text tower."""
    held = attribute.prompts or {}
    texts = [*held.get("positive", []), *held.get("negative", [])]
    by_class = held.get("classes", {})
    everything = [*texts, *(text for found in by_class.values() for text in found)]
    vectors = prompt_vectors(settings, everything) if everything else None
    if vectors is None:
        return None
    lookup = dict(zip(everything, vectors, strict=True))
    return Prompts(
        positive=_stack(lookup, held.get("positive", [])),
        negative=_stack(lookup, held.get("negative", [])),
        classes={name: np.stack([lookup[text] for text in found]) for name, found in by_class.items() if found},
    )


def _stack(lookup: dict[str, npt.NDArray[Any]], texts: list[str]) -> npt.NDArray[Any] | None:
    return np.stack([lookup[text] for text in texts]) if texts else None


def learn(settings: Settings, snapshot: Snapshot, prompts: Prompts | None, lease: Lease) -> Learned:
    """Fit, evaluate and record; where answers, prompts and encoder are as in the last run, that run stands.

    Raises JobSuperseded, with nothing written, where a newer learner holds the attribute.
    """
    started = now()
    classes = snapshot.attribute.classes
    probe = learner.fit(snapshot.view.pool, snapshot.training, classes, prompts, snapshot.learner, snapshot.seed)
    last = snapshot.last_run
    if last is not None and last.data_digest == snapshot.digest and last.code_version == code_version():
        return Learned(probe, last.metrics, last.number, fresh=False)
    metrics = {name: metric.to_dict() for name, metric in figures(snapshot, probe, prompts).items()}
    number = record(settings, snapshot, probe, metrics, lease, started)
    return Learned(probe, metrics, number, fresh=True)


def figures(snapshot: Snapshot, probe: Probe, prompts: Prompts | None) -> dict[str, Metric]:
    """The audit's figures, and the naive cross-validation beside them, marked as biased."""
    classes, view = snapshot.attribute.classes, snapshot.view
    audited = snapshot.audited
    rows = view.pool.positions(audited.asset_ids)
    inclusion = snapshot.design.inclusions(audited.asset_ids)
    kept = np.flatnonzero((rows >= 0) & (inclusion > 0))
    audited = audited.subset(kept)
    found = evaluate_audit(audited, scores(snapshot, probe, rows[kept]), inclusion[kept], classes, seed=snapshot.seed)
    found["cross_validated"] = early_sign(snapshot, prompts)
    return found


def early_sign(snapshot: Snapshot, prompts: Prompts | None) -> Metric:
    """The naive cross-validated figure, renewed every few answers: five more fits would delay every order."""
    before = snapshot.last_run.metrics.get("cross_validated") if snapshot.last_run else None
    held = Metric.from_dict(before) if before else None
    if held is not None and abs(len(snapshot.training) - held.n) < EVERY:
        return held
    return cross_validated(
        snapshot.training,
        lambda train, test: _refit(snapshot, prompts, train, test),
        snapshot.attribute.classes,
        seed=snapshot.seed,
    )


def scores(snapshot: Snapshot, probe: Probe, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Probabilities (m, classes) of some of the pool's rows."""
    if not len(rows):
        return np.empty((0, len(snapshot.attribute.classes)))
    logits = probe.decision_function(snapshot.view.pool.rows(rows))
    return probabilities(np.asarray(logits, dtype=np.float64).reshape(len(rows), -1))


def _refit(
    snapshot: Snapshot, prompts: Prompts | None, train: npt.NDArray[np.intp], test: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    labels, pool = snapshot.training, snapshot.view.pool
    probe = learner.fit(
        pool, labels.subset(train), snapshot.attribute.classes, prompts, snapshot.learner, snapshot.seed
    )
    rows = pool.positions([labels.asset_ids[i] for i in test])
    found = np.full((len(test), len(snapshot.attribute.classes)), 1.0 / len(snapshot.attribute.classes))
    found[rows >= 0] = scores(snapshot, probe, rows[rows >= 0])
    return found


def record(
    settings: Settings,
    snapshot: Snapshot,
    probe: Probe,
    metrics: dict[str, dict[str, Any]],
    lease: Lease,
    started: datetime,
) -> int:
    """Write the run in one transaction, under the lease's token; the run's number."""
    attribute = snapshot.attribute
    with writing(settings) as session:
        lease.check(session)
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
                labels=summary(snapshot),
                seed=snapshot.seed,
                data_digest=snapshot.digest,
                code_version=code_version(),
                metrics=metrics,
                advice={},
                probe=probe_bytes(probe.weight_, probe.bias_, probe.calibration_),
                started_at=started,
                finished_at=now(),
            )
        )
    return newest + 1


def summary(snapshot: Snapshot) -> dict[str, Any]:
    """Counts of what was asked and said: by class, expert and purpose."""
    told = latest(snapshot.answers)
    counted = [answer for answer in told if answer.value != SKIP]
    return {
        "answers": len(counted),
        "assets": len({answer.asset_id for answer in counted}),
        "classes": dict(Counter(answer.value for answer in counted)),
        "experts": dict(Counter(answer.expert for answer in counted)),
        "purposes": dict(Counter(answer.purpose for answer in counted)),
        "skipped": len(told) - len(counted),
        "trained_on": len(snapshot.training),
        "audited": len(snapshot.audited),
    }


def code_version() -> str:
    """The installed version of Attune."""
    return version("attune")
