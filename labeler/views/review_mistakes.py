"""Where a run and the experts part: confusion by class, its worst mistakes on audit answers, and what it cannot fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.catalog.run_facts import thresholds_of
from attune.labeler.people.viewer import Viewer, may_see, waiting
from attune.labeler.records.schema import Asset, Expert, Run
from attune.labeler.views.pictures import PageImage, picture
from attune.models.catalog.probe_files import read_probe
from attune.models.evaluation.intervals import share_interval
from attune.models.labels.answers import AUDIT, SKIP, Answer, latest
from attune.models.labels.labels import Labels, consensus
from attune.models.probes.calibration import apply
from attune.models.probes.decision import NO_LABEL, decide

MOST = 8


@dataclass(frozen=True)
class Cell:
    """The share of a row's images that the run gives this class, with its interval, and how many audit answers."""

    share: float
    lo: float
    hi: float
    n: int


@dataclass(frozen=True)
class Confusion:
    """Rows are what the experts say, columns what the run says; shares of a row, weighted to stand for the pool.

    A row without answers has no cells. ``ties`` audited images get no class: their probabilities are even.
    """

    classes: Sequence[str]
    rows: Sequence[tuple[str, int, Sequence[Cell]]]
    ties: int = 0


@dataclass(frozen=True)
class Mistake:
    """An image that the run is sure and wrong about: what it says, how sure in [0, 1], and who said what."""

    picture: PageImage
    says: str
    sure: float
    sides: Sequence[tuple[str, Sequence[str]]]


def weighted_share(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The weighted share of hits with Jeffreys' interval at the effective number of answers (Kish)."""
    total = float(weight.sum())
    share = float(weight[hit].sum()) / total
    effective = total**2 / float((weight**2).sum())
    lo, hi = share_interval(share * effective, effective)
    return share, min(lo, share), max(hi, share)


def confusion(evidence: Evidence, scored: Scored, thresholds: Mapping[str, float]) -> Confusion:
    """What the run says of the images that experts give each class, on today's audit answers."""
    keep = evidence.labels.decided()
    truth, weight = evidence.labels.majority()[keep], 1.0 / evidence.inclusion[keep]
    predicted = decide(scored.audited[keep], evidence.classes, thresholds)
    rows = []
    for i, name in enumerate(evidence.classes):
        here = truth == i
        cells = [_cell(predicted[here] == j, weight[here]) for j in range(len(evidence.classes))] if here.any() else []
        rows.append((name, int(here.sum()), cells))
    return Confusion(evidence.classes, rows, int((predicted == NO_LABEL).sum()))


def _cell(hit: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]) -> Cell:
    return Cell(*weighted_share(hit, weight), int(hit.sum()))


def mistakes(session: Session, viewer: Viewer, evidence: Evidence, run: Run, scored: Scored | None) -> list[Mistake]:
    """The audit answers that the run is most sure and wrong about."""
    if scored is None:
        return []
    return _worst(session, viewer, evidence, run, evidence.labels, scored.audited)


def misfits(session: Session, viewer: Viewer, evidence: Evidence, run: Run) -> list[Mistake]:
    """The training answers that the run contradicts although it has learned from them."""
    if evidence.view is None or evidence.why_not(run) not in ("", evidence.missing):
        return []
    audited = set(evidence.labels.asset_ids)
    training_answers = [one for one in evidence.answers if one.purpose != AUDIT and one.asset_id not in audited]
    labels = consensus(training_answers, evidence.classes)
    probe = read_probe(run.probe)
    raw = evidence.logits(probe, labels.asset_ids)
    there = np.flatnonzero(np.isfinite(raw).all(axis=1))
    if not len(there):
        return []
    calibrated = apply(probe.calibration, raw[there])
    return _worst(session, viewer, evidence, run, labels.subset(there), calibrated)


def _worst(
    session: Session,
    viewer: Viewer,
    evidence: Evidence,
    run: Run,
    labels: Labels,
    probabilities: npt.NDArray[np.float64],
) -> list[Mistake]:
    predicted = decide(probabilities, evidence.classes, thresholds_of(run, evidence.classes))
    wrong = np.flatnonzero(labels.decided() & (predicted != NO_LABEL) & (predicted != labels.majority()))
    sure = probabilities[wrong, predicted[wrong]]
    order = wrong[np.argsort(-sure, kind="stable")]
    images = visible_pictures(session, viewer, [labels.asset_ids[i] for i in order[: MOST * 4]])
    mine = set(labels.asset_ids)
    sides = answers_by_image(session, [answer for answer in evidence.answers if answer.asset_id in mine], evidence)
    mistakes_found = [
        Mistake(
            images[labels.asset_ids[i]],
            evidence.classes[predicted[i]],
            float(probabilities[i, predicted[i]]),
            sides[labels.asset_ids[i]],
        )
        for i in order[: MOST * 4]
        if labels.asset_ids[i] in images
    ]
    return mistakes_found[:MOST]


def visible_pictures(session: Session, viewer: Viewer, asset_ids: Sequence[str]) -> dict[str, PageImage]:
    """Pictures by asset id; not of images that the viewer is still to answer, who would read the others' answer."""
    seen = may_see(viewer) & Asset.id.not_in(waiting(viewer))
    rows = select(Asset).where(Asset.asset_id.in_(asset_ids), seen)
    return {asset.asset_id: picture(asset) for asset in session.scalars(rows)}


def answers_by_image(
    session: Session, answers: Sequence[Answer], evidence: Evidence
) -> dict[str, list[tuple[str, list[str]]]]:
    """Who said what of each asset: (value, names) in the order of the classes, unsure last, skips left out."""
    names = dict(session.execute(select(Expert.email, Expert.name)).all())
    by_asset: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for answer in latest(answers):
        if answer.value != SKIP:
            by_asset[answer.asset_id][answer.value].append(names.get(answer.expert, answer.expert))
    order = [*evidence.classes, "unsure"]
    return {
        asset: [(value, by_value[value]) for value in order if value in by_value]
        for asset, by_value in by_asset.items()
    }
