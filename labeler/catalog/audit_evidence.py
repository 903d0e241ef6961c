"""What the audit says today: every audit answer that still holds, under the scores of any run that is asked about.

Runs are judged by the same answers, and by all of them, so that figures of two runs can stand side by side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import first_answers
from attune.labeler.answers.as_answers import as_answers
from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.attributes import attributes, revisions
from attune.labeler.queues.pinned import own_picks
from attune.labeler.records.schema import Annotation, Asset, Attribute, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import ProbeWeights, read_probe
from attune.models.errors import NotMeasured, PoolError
from attune.models.evaluation.audit_design import RESERVED_SHARE, AuditDesign
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.evaluation.evaluate import compare, evaluate_audit
from attune.models.evaluation.metrics import Metric, unknown
from attune.models.labels.answers import SKIP, UNSURE, Answer
from attune.models.labels.labels import Labels, consensus
from attune.models.probes.calibration import apply, calibrate, cross_calibrated

MOST_RESERVED = 20_000  # of the reserved assets, so many stand for all: more would not narrow an interval
NAME, METHOD = "average_precision_difference", "paired audit, Bayesian score curve over the reserved pool"

T = TypeVar("T")
Key = tuple[Any, ...]  # what a figure is, then of which run


@dataclass(frozen=True, eq=False)
class Evidence:
    """The audit answers of one attribute; ``missing`` says why there are none that could judge a run, or is empty.

    ``labels`` of the n audited assets that are in the pool and were drawn, ``inclusion`` (n,) their probabilities,
    ``answers`` every answer that holds, the audit's and the others', ``firsts`` what each expert said first of each
    image, which alone measures; ``own`` pairs (asset id, expert) of the images that experts chose themselves, whose
    answers tell no agreement; ``revisions`` the classes of each revision. ``encoder`` is the digest of the pool's, None
    where it is empty. ``kept`` holds the figures that a worker left, by `name_of` their keys: then nothing is worked
    out here, and ``answers``, ``firsts``, ``own``, ``view`` and ``design`` are not read.
    """

    attribute: Attribute
    revisions: Mapping[int, list[str]]
    answers: tuple[Answer, ...]
    labels: Labels
    inclusion: npt.NDArray[np.float64]
    view: PoolView | None
    missing: str = ""
    newest: int = 0  # the newest run: its scores and those just before led the draw
    leader: ProbeWeights | None = None  # its probe
    firsts: tuple[Answer, ...] = ()
    own: frozenset[tuple[str, str]] = frozenset()
    design: AuditDesign = field(default_factory=lambda: AuditDesign(0))
    known: dict[Key, Any] = field(default_factory=dict)
    encoder: str | None = None
    kept: Mapping[str, Any] | None = None

    def remember(self, key: Key, make: Callable[[], T], load: Callable[[Any], T]) -> T:
        """What ``make`` gives, worked out once for as long as this evidence stands; what ``load`` reads of a file.

        Raises NotMeasured where a worker left figures and this is not among them.
        """
        if key not in self.known:
            self.known[key] = make() if self.kept is None else load(self._kept(key))
        found: T = self.known[key]
        return found

    def _kept(self, key: Key) -> Any:
        assert self.kept is not None
        if name_of(key) not in self.kept:
            raise NotMeasured(self.attribute.name)
        return self.kept[name_of(key)]

    @property
    def classes(self) -> list[str]:
        """The classes, the positive one first."""
        return self.attribute.classes

    @property
    def seed(self) -> int:
        """The attribute's own seed."""
        return int(self.attribute.settings.get("seed", 0))

    def why_not(self, run: Run) -> str:
        """Why nothing can be said of ``run``, as half a sentence; empty where it can."""
        if self.encoder is None:
            return self.missing
        if run.encoder_digest != self.encoder:
            return f"run {run.number} was made with another encoder than the active one"
        if run.number <= int(self.attribute.settings.get(attributes.REDRAWN, 0)):
            return f"run {run.number} is older than the draw of the audit titles, and may have learned from them"
        classes = self.revisions.get(run.revision, self.classes)
        if list(classes) != list(self.classes):
            return f"run {run.number} has the classes {', '.join(classes)}, but the classes have changed"
        return self.missing

    @cached_property
    def _reserved(self) -> npt.NDArray[np.intp]:
        """Pool rows of the audit titles: those that the figures are about."""
        assert self.view is not None
        share = float(self.attribute.settings.get("reserved_share", RESERVED_SHARE))
        rows = np.flatnonzero(self.view.keys >= 0)
        mine = rows[pool_reserved_mask(self.view.pool, rows, share, self.seed)]
        return mine[:: max(1, len(mine) // MOST_RESERVED)]

    def logits(self, probe: ProbeWeights, asset_ids: Sequence[str]) -> npt.NDArray[np.float64]:
        """Uncalibrated ``x.w + b`` (m, k) of assets; NaN where one is not in the pool."""
        logits = np.full((len(asset_ids), len(probe.weight)), np.nan)
        if self.view is not None:
            rows = self.view.pool.positions(asset_ids)
            logits[rows >= 0] = self._raw(probe, rows[rows >= 0])
        return logits

    def _raw(self, probe: ProbeWeights, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        assert self.view is not None
        if not len(rows):
            return np.empty((0, len(probe.weight)))
        return np.asarray(self.view.pool.logits_at(rows, probe.weight, probe.bias), dtype=np.float64)

    def scored(self, run: Run) -> Scored:
        """The audited assets and the reserved pool as ``run`` scores them; ask ``why_not`` first.

        Calibrated by today's answers on *other* titles: what a calibration learned from an answer must not be judged
        by it, and two runs that were calibrated at different times are only comparable when both are treated alike.
        """
        return self.remember(("scored", run.number), lambda: self._scored(run), Scored.read)

    def _scored(self, run: Run) -> Scored:
        probe = read_probe(run.probe)
        raw = self.logits(probe, self.labels.asset_ids)
        calibrated = cross_calibrated(raw, self.labels, self.inclusion, seed=self.seed)
        pool = apply(calibrate(raw, self.labels, self.inclusion), self._raw(probe, self._reserved))
        return Scored(run.number, calibrated, pool if len(pool) else None, self._led(run, probe))

    def _led(self, run: Run, probe: ProbeWeights) -> npt.NDArray[np.float64] | None:
        """How likely each reserved row was drawn; None for a run with the newest's scores, which say as much."""
        if self.view is None or run.number >= self.newest or _alike(probe, self.leader):
            return None
        return self.design.inclusions(self.view.pool.asset_ids[self._reserved])

    def figures(self, scored: Scored, thresholds: dict[str, float]) -> dict[str, Metric]:
        """Every figure that the audit supports, as ``attune.models.evaluation.evaluate.evaluate_audit`` names them."""
        return self.remember(
            ("figures", scored.run, tuple(sorted(thresholds.items()))),
            lambda: evaluate_audit(
                self.labels, scored.audited, self.inclusion, self.classes,
                pool=scored.pool, pool_inclusion=scored.pool_inclusion, thresholds=thresholds, seed=self.seed,
            ),
            lambda kept: {name: Metric.from_dict(metric) for name, metric in kept.items()},
        )  # fmt: skip

    def difference(self, a: Scored, b: Scored) -> Metric:
        """Average precision of ``a`` minus that of ``b`` on the same answers."""
        return self.remember(
            ("difference", a.run, b.run),
            lambda: compare(
                self.labels, (a.audited, b.audited), self.inclusion, self.classes,
                pools=(a.pool, b.pool), seed=self.seed,
                # Beside the newest run's scores, that it was drawn says nothing more.
                pool_inclusion=None if b.pool_inclusion is None else a.pool_inclusion,
            ),
            Metric.from_dict,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scored:
    """Probabilities of one run, float64: ``audited`` (n, classes), ``pool`` (N, classes) or None where none is
    reserved; ``pool_inclusion`` (N,) where other runs' scores led the draw (``audit_answers.Audited.of``)."""

    run: int
    audited: npt.NDArray[np.float64]
    pool: npt.NDArray[np.float64] | None
    pool_inclusion: npt.NDArray[np.float64] | None = None

    def to_dict(self) -> dict[str, Any]:
        """What pages need of it: nothing of the pool."""
        return {"run": self.run, "audited": self.audited, "led": self.pool_inclusion is not None}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Scored:
        """What ``to_dict`` wrote; ``pool_inclusion`` is empty where there was one."""
        led = np.empty(0) if kept["led"] else None
        return cls(kept["run"], np.array(kept["audited"], dtype=np.float64), None, led)


def name_of(key: Key) -> str:
    """The name under which a figure is kept in a file."""
    return json.dumps(key)


def collect(settings: Settings, attribute: str) -> Evidence:
    """The evidence of today. Raises UnknownAttribute."""
    with reading(settings) as session:
        row = attributes.find(session, attribute)
        answers, firsts, own = _answers(session, row)
        revisions = classes_by_revision(session, row)
        newest = session.scalar(select(Run).where(Run.attribute_id == row.id).order_by(Run.number.desc()).limit(1))
        made = partial(Evidence, row, revisions, answers, firsts=firsts, own=own)
        nothing = Labels((), (), np.empty((0, len(row.classes))), np.empty(0))
        try:
            view = open_pool(settings, session)
        except PoolError as error:
            return made(nothing, np.empty(0), None, str(error))
    made = partial(made, encoder=view.fingerprint.digest)
    design = AuditDesign.from_bytes(row.audit_state) if row.audit_state else AuditDesign(0)
    audits = design.measuring(firsts, own)
    if row.audit_state is None or not audits:
        return made(nothing, np.empty(0), view, "there are no audit answers yet")
    labels = consensus(audits, row.classes)
    inclusion, rows = design.inclusions(labels.asset_ids), view.positions(labels.asset_ids)
    share, seed = float(row.settings.get("reserved_share", RESERVED_SHARE)), int(row.settings.get("seed", 0))
    # A title that was corrected since may be one that is trained on.
    apart = pool_reserved_mask(view.pool, rows, share, seed)
    usable = np.flatnonzero((rows >= 0) & (inclusion > 0) & apart)
    missing = "" if len(usable) else "none of the audit images is in the pool any more"
    number, leader = (0, None) if newest is None else (newest.number, read_probe(newest.probe))
    return made(labels.subset(usable), inclusion[usable], view, missing, number, leader, design=design)


def _answers(
    session: Session, row: Attribute
) -> tuple[tuple[Answer, ...], tuple[Answer, ...], frozenset[tuple[str, str]]]:
    """``answers``, ``firsts`` and ``own`` of the evidence."""
    answers = tuple(one for one, _ in as_answers(session, row.id) if one.value in {*row.classes, UNSURE, SKIP})
    independent = first_answers.independent(session, row, answers)
    firsts = tuple(answer for answer in independent if answer.value in {*row.classes, UNSURE})
    return answers, firsts, own_picks(session, row.id)


def decided(session: Session, row: Attribute) -> int:
    """How many drawn images that are not removed have audit answers that say one class; of a question whose titles are
    all reserved. It reads answers and the draw alone, no vectors and no values."""
    if row.audit_state is None:
        return 0
    design, (_, firsts, own) = AuditDesign.from_bytes(row.audit_state), _answers(session, row)
    labels = consensus(design.measuring(firsts, own), row.classes)
    answered = select(Annotation.asset_pk).where(Annotation.attribute_id == row.id)
    here = set(session.scalars(select(Asset.asset_id).where(Asset.id.in_(answered), Asset.removed_at.is_(None))))
    held = np.array([one in here for one in labels.asset_ids], dtype=bool)
    return int((labels.decided() & held & (design.inclusions(labels.asset_ids) > 0)).sum()) if len(labels) else 0


def paired(evidence: Evidence, a: Run, b: Run) -> Metric:
    """Average precision of run ``a`` minus that of ``b`` on the same audit answers, or why it is not known."""
    reason = evidence.why_not(a) or evidence.why_not(b)
    if reason:
        return unknown(NAME, 0, METHOD, reason)
    return evidence.difference(evidence.scored(a), evidence.scored(b))


def _alike(a: ProbeWeights, b: ProbeWeights | None) -> bool:
    """Whether two probes score alike: rounds between which only audits were answered learn the same weights."""
    if b is None or a.weight.shape != b.weight.shape:
        return False
    return bool(np.allclose(a.weight, b.weight, 1e-5, 1e-7) and np.allclose(a.bias, b.bias, 1e-5, 1e-6))


def classes_by_revision(session: Session, attribute: Attribute) -> dict[int, list[str]]:
    """The classes of each revision as they are called today: a probe outlives a rename."""
    past = revisions.history(session, attribute)
    later = {one.number: [said.reading for said in past if said.number > one.number] for one in past}
    return {one.number: [revisions.read(name, later[one.number]) or name for name in one.classes] for one in past}
