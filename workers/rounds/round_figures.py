"""A round's figures: calibration and the audit's estimates, and the naive early sign beside them, marked as biased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from attune.labeler.attributes.threshold_goals import goal_of
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.evaluation.evaluate import cross_validated, evaluate_audit
from attune.models.evaluation.metrics import FULL, Metric
from attune.models.evaluation.splits import title_folds
from attune.models.labels.agreement import TENTATIVE, alpha, alpha_without_one
from attune.models.labels.agreement_sample import comparable
from attune.models.labels.labels import Labels
from attune.models.labels.panel import Panel
from attune.models.probes import learner
from attune.models.probes.calibration import apply, calibrate, cross_calibrated, identity
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.models.probes.thresholds import Threshold, choose_thresholds, no_threshold_yet
from attune.models.text import there_are
from attune.workers.rounds.snapshot import Snapshot

# Between two cross-validations: labels, and of many a share of them. Five more fits of 12,000 labels take ten seconds.
FIGURE_EVERY, FIGURE_SHARE = 5, 0.05
MOST_RESERVED = 20_000  # of the reserved assets, so many stand for all: more would not narrow an interval


def measure(
    snapshot: Snapshot, probe: Probe, prompts: Prompts | None, lines: Mapping[str, float] | None = None
) -> dict[str, Metric]:
    """Every figure of ``probe`` that the audit answers support; precision and recall at ``lines`` (class -> one half).

    The probe was calibrated by ``calibrated``. What calibration learned from an answer is not judged by it: the
    probabilities measured are cross-calibrated.
    """
    classes = len(snapshot.attribute.classes)
    audited, inclusion = audit_answers(snapshot)
    raw = logits(snapshot, probe, snapshot.view.pool.positions(audited.asset_ids))
    metrics = evaluate_audit(
        audited,
        cross_calibrated(raw, audited, inclusion, seed=snapshot.seed) if len(audited) else np.empty((0, classes)),
        inclusion,
        snapshot.attribute.classes,
        pool=_reserved_pool(snapshot, probe) if len(audited) else None,
        thresholds=lines,
        seed=snapshot.seed,
    )
    metrics["cross_validated"] = early_sign(snapshot, prompts)
    metrics["alpha"] = alpha(_agreement_panel(snapshot), seed=snapshot.seed)
    return metrics


def agreement_without_one(snapshot: Snapshot, agreement: Metric | None) -> tuple[str, Metric] | None:
    """The expert who differs most, and alpha without that one; not asked where the experts agree well enough."""
    if agreement is None or agreement.hi is None or agreement.hi >= TENTATIVE:
        return None
    return alpha_without_one(_agreement_panel(snapshot), snapshot.seed)


def _agreement_panel(snapshot: Snapshot) -> Panel:
    shared = comparable(snapshot.first_answers, snapshot.own, snapshot.seed)
    return Panel.of(shared, snapshot.attribute.classes)


def fit_probe(snapshot: Snapshot, prompts: Prompts | None, labels: Labels | None = None) -> Probe:
    """The probe of ``labels``, or of all that may be learned from; nothing that anyone answered stands for a class
    that it is not."""
    return learner.fit(
        snapshot.view.pool,
        snapshot.training if labels is None else labels,
        snapshot.attribute.classes,
        prompts,
        snapshot.learner,
        snapshot.seed,
        answered=snapshot.answered,
    )


def calibrated(snapshot: Snapshot, probe: Probe) -> Probe:
    """``probe``, calibrated in place on the audit answers; as it is where there are none."""
    audited, inclusion = audit_answers(snapshot)
    raw = logits(snapshot, probe, snapshot.view.pool.positions(audited.asset_ids))
    probe.calibration_ = calibrate(raw, audited, inclusion) if len(audited) else identity(len(probe.weight_))
    return probe


def thresholds(snapshot: Snapshot, probe: Probe) -> list[Threshold]:
    """The line of each class for the goal that the owner set, from audit answers alone; none without a goal.

    Of two classes only the first has a line. Before ``FULL`` audit answers each says that it waits for them.
    """
    goal, classes = goal_of(snapshot.attribute), snapshot.attribute.classes
    if goal is None:
        return []
    audited, inclusion = audit_answers(snapshot)
    columns = classes[:1] if len(classes) == 2 else classes
    if len(audited) < FULL:
        reason = f"{there_are(len(audited), 'audit answer')}, at least {FULL} are needed"
        return [no_threshold_yet(name, goal.figure, goal.value, len(audited), reason) for name in columns]
    raw = logits(snapshot, probe, snapshot.view.pool.positions(audited.asset_ids))
    threshold_list = choose_thresholds(
        audited,
        cross_calibrated(raw, audited, inclusion, seed=snapshot.seed),
        inclusion,
        classes,
        goal,
        pool=_reserved_pool(snapshot, probe),
        seed=snapshot.seed,
    )
    return [threshold_list[name] for name in columns]


def threshold_by_class(threshold_list: Sequence[Threshold], classes: Sequence[str]) -> dict[str, float]:
    """The probability from which each class is said; one half where no line was found."""
    lines = {one.name: one.probability for one in threshold_list if one.probability is not None}
    threshold_by_class = {name: lines.get(name, 0.5) for name in classes}
    if len(classes) == 2:
        threshold_by_class[classes[1]] = 1.0 - threshold_by_class[classes[0]]
    return threshold_by_class


def _reserved_pool(snapshot: Snapshot, probe: Probe) -> npt.NDArray[np.float64]:
    return probabilities(probe, logits(snapshot, probe, reserved_rows(snapshot)))


def audit_answers(snapshot: Snapshot) -> tuple[Labels, npt.NDArray[np.float64]]:
    """The audit's labels that can be weighed, with their probabilities: still shown, of an audit title, and drawn.

    A title that was corrected since may be one that is trained on. None of a question that checks a feature: its audits
    measure that feature (``labeler.measured.checked``), and no probe.
    """
    labels = snapshot.audited if snapshot.measured is None else snapshot.audited.subset(np.empty(0, dtype=np.intp))
    inclusion, rows = snapshot.design.inclusions(labels.asset_ids), snapshot.view.positions(labels.asset_ids)
    apart = pool_reserved_mask(snapshot.view.pool, rows, snapshot.learner.reserved_share, snapshot.seed)
    usable = np.flatnonzero((rows >= 0) & (inclusion > 0) & apart)
    return labels.subset(usable), inclusion[usable]


def reserved_rows(snapshot: Snapshot) -> npt.NDArray[np.intp]:
    """Pool rows of the audit titles that may still be shown."""
    rows = np.flatnonzero(snapshot.view.keys >= 0)
    mine = rows[pool_reserved_mask(snapshot.view.pool, rows, snapshot.learner.reserved_share, snapshot.seed)]
    return mine[:: max(1, len(mine) // MOST_RESERVED)]


def logits(snapshot: Snapshot, probe: Probe, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Uncalibrated ``x.w + b`` (m, k) of some of the pool's rows."""
    if not len(rows):
        return np.empty((0, len(probe.weight_)))
    return snapshot.view.pool.logits_at(rows, probe.weight_, probe.bias_).astype(np.float64)


def probabilities(probe: Probe, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Calibrated probabilities (m, classes) of logits (m, k)."""
    return apply(probe.calibration_, raw)


def early_sign(snapshot: Snapshot, prompts: Prompts | None) -> Metric:
    """The naive cross-validated figure, renewed every few answers: five more fits would delay every order."""
    last = snapshot.last_run
    before = last.metrics.get("cross_validated") if last and last.revision == snapshot.attribute.revision else None
    kept = Metric.from_dict(before) if before else None
    # Where experts disagree, the figure's n is less than the labels: it counts those of one class alone.
    n = int(snapshot.training.decided().sum())
    if kept is not None and kept.value is not None and abs(n - kept.n) < max(FIGURE_EVERY, FIGURE_SHARE * n):
        return kept
    return cross_validated(
        snapshot.training,
        lambda train, test: _refit(snapshot, prompts, train, test, snapshot.training),
        snapshot.attribute.classes,
        seed=snapshot.seed,
    )


def cross_fitted(
    snapshot: Snapshot, prompts: Prompts | None, folds: int, reweighted: Labels | None = None
) -> npt.NDArray[np.float64]:
    """Probabilities (n, classes) of the training labels, each by a probe that did not learn from its title.

    Even ones where the labels are of too few titles or classes to leave a part of them out. ``reweighted``: the
    training labels with other weights.
    """
    labels, classes = snapshot.training if reweighted is None else reweighted, snapshot.attribute.classes
    probabilities_out = np.full((len(labels), len(classes)), 1.0 / len(classes))
    counts = labels.counts()
    if len(counts[counts >= folds]) < 2 or len(set(labels.title_ids)) < 2 * folds:
        return probabilities_out
    for train, test in title_folds(labels.title_ids, labels.majority(), folds, snapshot.seed):
        probabilities_out[test] = _refit(snapshot, prompts, train, test, labels)
    return probabilities_out


def _refit(
    snapshot: Snapshot,
    prompts: Prompts | None,
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
    labels: Labels,
) -> npt.NDArray[np.float64]:
    pool = snapshot.view.pool
    probe = fit_probe(snapshot, prompts, labels.subset(train))
    rows = pool.positions([labels.asset_ids[i] for i in test])
    probabilities_out = np.full((len(test), len(snapshot.attribute.classes)), 1.0 / len(snapshot.attribute.classes))
    probabilities_out[rows >= 0] = probabilities(probe, logits(snapshot, probe, rows[rows >= 0]))
    return probabilities_out
