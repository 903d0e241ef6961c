"""A feature as a question about its errors: what an attribute's champion or a measurement says of each image, and the
audits that show where it errs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.catalog.audit_evidence import Evidence
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.reading import features_of
from attune.labeler.insights.known import Known
from attune.labeler.measured import checked, checks, values
from attune.labeler.records.schema import Annotation, Attribute
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import Reference
from attune.models.errors import NotEnoughLabels
from attune.models.evaluation.audit_design import RESERVED_SHARE
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.files.atomic import digest_json
from attune.models.insights.corrected import LEAST_AUDITS
from attune.models.insights.probed import Probed, probed
from attune.models.insights.response import check_answered, response
from attune.models.measured.eye_checks import BY_BANDED
from attune.models.measured.eye_checks import chances as measured_chances

MOST_CLASSES = 5  # each further class leaves fewer audits for each


def properties(
    settings: Settings, feature: Known, pair: tuple[str, str], asset_ids: npt.NDArray[np.object_]
) -> tuple[Probed, ...]:
    """The classes other than the second of ``pair``, the first of ``pair`` first, as properties of ``asset_ids`` (n,).

    Only audits of images with performance and a score take part; there may be none. An image is included with the
    chance that its title was reserved for audits, times the chance that it was drawn, times the share of the drawn that
    have an answer. Raises NotEnoughLabels where the attribute has other classes now, or many audits are open.

    Of a measured feature, the audits are those of the question that checks it, and all titles are reserved. An image
    with unsure or tied answers alone is no audit there, as in the share on which people agree: decided ones that were
    measured alike stand for it. An image that was in no draw has no score: no audit could be of it.
    """
    wanted = [pair[0], *(name for name in feature.classes if name not in pair)]
    chances = probabilities(settings, feature, asset_ids)
    evidence = gather(settings, feature.audited_by)
    if set(evidence.classes) != set(feature.classes):
        raise NotEnoughLabels(_other_classes(feature))
    if feature.kind == "measured":
        chances = _in_a_draw(evidence, asset_ids, chances)
    share = float(evidence.attribute.settings.get("reserved_share", RESERVED_SHARE))
    rows = pc.index_in(pa.array(evidence.labels.asset_ids, pa.string()), value_set=pa.array(asset_ids, pa.string()))
    place = rows.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
    here = place >= 0
    here[here] &= np.isfinite(chances[place[here], 0])
    answered, undecided = np.zeros(len(asset_ids), dtype=bool), np.zeros(len(asset_ids), dtype=bool)
    if feature.kind == "measured" and len(evidence.labels):
        decided = evidence.labels.decided()
        undecided[place[here & ~decided]] = True
        here &= decided
    answered[place[here]] = True
    score = chances[:, feature.classes.index(pair[0])]
    responding = _responding(evidence, asset_ids, score, answered, undecided)
    included = share * evidence.inclusion[here] * responding[place[here]]
    says = chances.argmax(axis=1)
    made = []
    for name in wanted:
        column, said = feature.classes.index(name), evidence.classes.index(name)
        made.append(probed(
            chances[:, column], place[here], evidence.labels.shares[here, said], included,
            np.where(np.isfinite(chances[:, column]), says == column, np.nan),
        ))  # fmt: skip
    return tuple(made)


def _in_a_draw(
    evidence: Evidence, asset_ids: npt.NDArray[np.object_], chances: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """``chances`` (n, classes) without images that came after the last draw: answers say nothing of their errors."""
    could = evidence.design.inclusions([str(one) for one in asset_ids]) > 0
    return np.where(could[:, None], chances, np.nan) if could.any() else chances


def decided(settings: Settings, feature: Known) -> int:
    """How many images have audits that say one class of them, with performance or without."""
    labels = gather(settings, feature.audited_by).labels
    return int(labels.decided().sum()) if len(labels) else 0


def answers(
    settings: Settings, feature: Known, asset_ids: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:  # fmt: skip
    """The class that people said of each of ``asset_ids`` (n,), in audits; an empty text where they said none."""
    found = np.full(len(asset_ids), "", dtype=object)
    evidence = gather(settings, feature.audited_by) if feature.audited_by else None
    if evidence is None or not len(evidence.labels) or set(evidence.classes) != set(feature.classes):
        return found
    decided, said = evidence.labels.decided(), evidence.labels.majority()
    told = {
        id_: evidence.classes[code]
        for id_, code, sure in zip(evidence.labels.asset_ids, said.tolist(), decided.tolist(), strict=True) if sure
    }  # fmt: skip
    found[:] = [told.get(str(id_), "") for id_ in asset_ids]
    return found


def _other_classes(feature: Known) -> str:
    if feature.kind == "measured":
        changed = f"The classes of {feature.audited_by} were changed, so its answers do not fit {feature.name}."
        return f"{changed} Change them back."
    return (
        f"The classes of {feature.name} have changed since its champion was published, so its audits do not fit. "
        "Promote a newer version."
    )


def _responding(
    evidence: Evidence,
    asset_ids: npt.NDArray[np.object_],
    score: npt.NDArray[np.float64],
    answered: npt.NDArray[np.bool_],
    undecided: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """The share of the drawn audits like it that have an answer, for each of ``asset_ids`` (n,); 1 where not drawn.

    ``undecided`` (n,) were answered and say no class: nobody has to answer them, and they weigh as open ones do.
    Audits that can no longer be answered, of images that left the pool or whose title is not reserved any more, weigh
    as open ones do, but nobody is asked to answer them.
    """
    ids = [str(one) for one in asset_ids]
    drawn = answered | undecided | (evidence.design.drawn(ids) & np.isfinite(score))
    lot = np.flatnonzero(drawn)
    if evidence.view is not None:
        settings = evidence.attribute.settings
        places = evidence.view.positions([ids[one] for one in lot])
        share, seed = float(settings.get("reserved_share", RESERVED_SHARE)), int(settings.get("seed", 0))
        asked = (places >= 0) & pool_reserved_mask(evidence.view.pool, places, share, seed)
        check_answered(evidence.attribute.name, (answered | undecided)[lot[asked]])
    shares = np.ones(len(ids))
    shares[lot] = response(score[lot], evidence.design.inclusions([ids[one] for one in lot]), answered[lot])
    return shares


def can_be(feature: Known) -> bool:
    """Whether an effect of the feature can be corrected at all."""
    return bool(feature.audited_by) and len(feature.classes) <= MOST_CLASSES


def probabilities(settings: Settings, feature: Known, asset_ids: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """What the version says of each of ``asset_ids``, (n, classes); NaN where it has no score."""
    if feature.guessed:  # the guess's own probability: among images of one class it tells more than the class
        first = values.measured(settings, feature.name).at(map(str, asset_ids))
        return np.stack([first, 1 - first], axis=1)
    if feature.kind == "measured":
        check = BY_BANDED[feature.name]
        return measured_chances(checks.codes(settings, check, [str(one) for one in asset_ids]), len(check.classes))
    path = features_of(settings, Reference(feature.name, str(feature.version))).path
    table = pq.read_table(path, columns=["asset_id", "class", "probability"])
    ids = pa.array(asset_ids, pa.string())
    found = np.full((len(asset_ids), len(feature.classes)), np.nan)
    for column, name in enumerate(feature.classes):
        mine = table.filter(pc.equal(table["class"], name))
        if mine.num_rows:
            place = pc.index_in(ids, value_set=mine["asset_id"].combine_chunks())
            found[:, column] = mine["probability"].combine_chunks().take(place).to_numpy(zero_copy_only=False)
    if len(feature.classes) == 2:  # its rows are about the first class
        found[:, 1] = 1 - found[:, 0]
    return found


def is_draft(settings: Settings, feature: Known) -> bool:
    """Whether the feature is a guess that too few people have checked: then nothing may be concluded from it."""
    return feature.guessed and (feature.unchecked or checked.decided(settings, feature.name) < LEAST_AUDITS)


def drafts(settings: Settings, known: Mapping[str, Known]) -> frozenset[str]:
    """The names of those of ``known`` that are drafts."""
    return frozenset(name for name, one in known.items() if is_draft(settings, one))


def without_guesses(known: Mapping[str, Known]) -> dict[str, Known]:
    """``known`` without guesses from words, checked or not: for what reads features image by image, where no answers
    correct them."""
    return {name: one for name, one in known.items() if not one.guessed}


def why_draft(settings: Settings, feature: Known) -> str:
    """What a draft lacks, as sentences."""
    known = 0 if feature.unchecked else checked.decided(settings, feature.name)
    if not known and not feature.unchecked and set(gather(settings, feature.audited_by).classes) != {*feature.classes}:
        return f"{feature.name} is a draft, guessed from words. {_other_classes(feature)}"
    so_far = f"people have checked {known} of {LEAST_AUDITS} images" if known else "nobody has checked it"
    return (
        f"{feature.name} is a draft, guessed from words, and {so_far}. Its figure comes once {LEAST_AUDITS} are "
        f"checked, corrected for its errors. Ask experts: `attune features audit {feature.name}`"
    )


def digest(session: Session, name: str, empty: str | None = None) -> str:
    """Of an attribute's audit answers: another one, and corrections are made of others. ``empty``: without answers."""
    wanted = select(
        func.count(), func.count(Annotation.deleted_at), func.max(Annotation.id), func.max(Annotation.updated_at)
    )
    wanted = wanted.join(Attribute, Attribute.id == Annotation.attribute_id)
    row = session.execute(wanted.where(Attribute.name == name, Annotation.purpose == "audit")).one()
    if empty is not None and not row[0]:
        return empty
    return digest_json([str(part) for part in row])
