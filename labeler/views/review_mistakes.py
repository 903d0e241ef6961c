"""Where a run and the experts part: confusion by class, worst mistakes on audit answers, suspected label errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from attune.labeler.answers import label_errors, look_again
from attune.labeler.answers.as_answers import as_answers
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.catalog.audit_slices import weighted_share
from attune.labeler.catalog.run_facts import thresholds_of
from attune.labeler.people.viewer import Viewer, may_see, waiting
from attune.labeler.records.schema import Annotation, Asset, Expert, LabelError, Run, SuspectedAnswer
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, by_id, picture
from attune.models.labels.answers import SKIP, latest
from attune.models.labels.labels import Labels
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
    """An image that the run is sure and wrong about: what it says, how sure in [0, 1], and who said what.

    ``again``: whether an expert who answered can be asked to look again."""

    picture: PageImage
    says: str
    sure: float
    sides: Sequence[tuple[str, Sequence[str]]]
    again: bool = False


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


def suspected(session: Session, settings: Settings, viewer: Viewer, evidence: Evidence) -> list[Mistake]:
    """The first of the suspected label errors: training answers, held against probes that did not learn from them."""
    listed = label_errors.listed(session, settings, viewer, evidence.attribute.id)
    rows = session.scalars(listed.where(LabelError.probe > 0.5).limit(MOST * 4)).all()  # not where others alone differ
    named = {one.id: one.asset for one in session.scalars(_annotations([row.annotation_id for row in rows]))}
    sides_of = answers_by_image(session, evidence, {asset.asset_id for asset in named.values()})
    first: dict[int, SuspectedAnswer] = {}  # an image once, also where several gave the same answer
    for row in rows:
        first.setdefault(named[row.annotation_id].id, row)
    shown = dict(list(first.items())[:MOST])
    again = look_again.offered(session, viewer, evidence.attribute, list(shown))
    found = []
    for key, row in shown.items():
        asset = named[row.annotation_id]
        sides_here = sides_of.get(asset.asset_id, [])
        found.append(Mistake(picture(asset), row.expected, row.probe, sides_here, key in again))
    return found


def _annotations(ids: Sequence[int]) -> Select[Annotation]:
    return select(Annotation).where(Annotation.id.in_(ids)).options(joinedload(Annotation.asset))


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
    sides = answers_by_image(session, evidence, images)
    mistakes_found = [
        Mistake(
            images[labels.asset_ids[i]],
            evidence.classes[predicted[i]],
            float(probabilities[i, predicted[i]]),
            sides.get(labels.asset_ids[i], []),
        )
        for i in order[: MOST * 4]
        if labels.asset_ids[i] in images
    ]
    return mistakes_found[:MOST]


def visible_pictures(session: Session, viewer: Viewer, asset_ids: Sequence[str]) -> dict[str, PageImage]:
    """Pictures by asset id; not of images that the viewer is still to answer, who would read the others' answer."""
    return by_id(session, asset_ids, may_see(viewer) & Asset.id.not_in(waiting(viewer)))


def answers_by_image(
    session: Session, evidence: Evidence, asset_ids: Iterable[str]
) -> dict[str, list[tuple[str, list[str]]]]:
    """Who says what today of each asset: (value, names) in the order of the classes, unsure last, skips left out."""
    given = as_answers(session, evidence.attribute.id, list(asset_ids))
    names = dict(session.execute(select(Expert.email, Expert.name)).all())
    by_asset: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for answer in latest(one for one, _ in given):
        if answer.value != SKIP:
            by_asset[answer.asset_id][answer.value].append(names.get(answer.expert, answer.expert))
    order = [*evidence.classes, "unsure"]
    return {
        asset: [(value, by_value[value]) for value in order if value in by_value]
        for asset, by_value in by_asset.items()
    }
