"""Answers beside another feature: whether an effect depends on it, and what it is with that feature held.

They are of the rows that answered the question itself. Dependences have a false discovery rate of their own; what is
held claims nothing and has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from attune.labeler.insights import answer as answering
from attune.labeler.insights import companions, evidence, features
from attune.labeler.insights.answer import Answer, Asked, short
from attune.labeler.insights.companions import DEPENDS, HOLDING
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.known import Known
from attune.labeler.insights.work import Work
from attune.labeler.records.schema import InsightCompanion, InsightQuestion
from attune.models.errors import NotEnoughLabels
from attune.models.insights.two_features import Feature, depends, holding

TWO_CLASSES = (
    "{name} is an attribute with {count} classes. Beside another feature, an attribute’s errors can be corrected where "
    "it has two. Ask beside a feature that is imported or measured."
)
UNCORRECTED = (
    "Errors of {name} are not corrected here: beside another feature they can be where there are two classes, and it "
    "has {count}."
)
ACROSS = (
    "Only what is compared within titles can be asked beside another feature, and this has no such figure. Import "
    "performance of titles whose images differ in it."
)
GONE = "The feature {name} is not there any more. To see which features there are: `attune features list`"


@dataclass(frozen=True, eq=False)
class Base:
    """A question about ``feature`` with its answer; ``seen``: it may have been chosen for its figure."""

    question: InsightQuestion
    feature: Known
    asked: Asked
    found: Answer
    seen: bool


def told(work: Work, base: Base, inputs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """All that is asked of ``base``; the other features are added to its ``inputs``."""
    entries: dict[str, list[dict[str, Any]]] = {DEPENDS: [], HOLDING: []}
    for row in work.companions[base.question.id]:
        companions.check(row)
        other = work.known.get(row.feature)
        if other is None:
            entries[row.way].append(_empty(row) | {"why": GONE.format(name=row.feature)})
            continue
        if all(part.get("feature") != other.name for part in inputs):
            inputs.append(dict(other.inputs))
        entries[row.way].append(_entry(work, base, row, other))
    return entries


def nothing(rows: Iterable[InsightCompanion], why: str) -> dict[str, list[dict[str, Any]]]:
    """The same, where the question itself has no figure: for each the reason."""
    empty = [_empty(row) | {"why": why} for row in rows]
    return {way: [one for one in empty if one["way"] == way] for way in (DEPENDS, HOLDING)}


def family(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All dependences of a run, each as a question with its figures: decided together, and apart from others."""
    return [
        {"question": InsightCompanion(id=one["id"]), "figures": one}
        for answer in told
        for one in answer["figures"].get(DEPENDS, ())
    ]


def _empty(row: InsightCompanion) -> dict[str, Any]:
    return {
        "id": row.id, "way": row.way, "feature": row.feature, "contrast": row.contrast, "asked_by": row.asked_by,
        "estimate": None, "held": None, "why": "", "seen": row.seen, "within": True, "random": False,
    }  # fmt: skip


def _entry(work: Work, base: Base, row: InsightCompanion, other: Known) -> dict[str, Any]:
    seen = row.way == DEPENDS and (row.seen or base.seen or other.values != row.values)
    if seen and other.values == row.values and base.feature.values == base.question.values:
        new = evidence.load(work.settings, after=row.asked_at)  # nobody can have seen this when they asked
        if new is not None:
            over = work.over(new)
            later = _answered(over, _again(over, base), row, other)
            if later["estimate"] is not None:
                return later | {"seen": False}
    return _answered(work, base, row, other) | {"seen": seen}


def _again(work: Work, base: Base) -> Base:
    """The same question, answered by all titles of the work's rows."""
    try:
        asked = work.asked(base.feature, base.question.contrast)
    except NotEnoughLabels as error:
        return replace(base, found=Answer(None, None, "every", False, None, str(error)))
    canvas = work.canvas(base.question.canvas)
    if base.question.canvas and canvas is None:
        return replace(base, asked=asked, found=Answer(None, None, "every", False, None, ACROSS))
    return replace(base, asked=asked, found=answering.answer(work.rows, asked, None, canvas))


def _answered(work: Work, base: Base, row: InsightCompanion, other: Known) -> dict[str, Any]:
    """The figures of the work's rows."""
    entry, asked, found = _empty(row), _plain(base.feature, base.asked), base.found
    try:
        beside = _other(work, other, row.contrast)
        one = _feature(base.feature, asked, base.question.contrast)
        second = _feature(other, beside, row.contrast)
        if found.rows is None or not found.within:
            raise NotEnoughLabels(ACROSS)
        figures = _depends(found, one, second) if row.way == DEPENDS else _holding(found, one, second)
    except NotEnoughLabels as error:
        return entry | {"why": str(error)}
    both = replace(asked, audited=asked.audited and beside.audited)
    return entry | figures | {
        "random": found.basis == "random", "basis": found.basis, "unit": beside.unit,
        "grade": answering.grade_of(work.rows, both, found.basis),
        "values": f"{base.feature.values}:{other.values}", "not_audited": not both.audited,
        "hindered": " ".join(one for one in (asked.hindered, beside.hindered) if one),
    }  # fmt: skip


def _other(work: Work, feature: Known, contrast: str) -> Asked:
    """The other feature. What is measured has a figure whatever became of its check."""
    if feature.kind != "measured" or feature.only_corrected or features.pair(feature, contrast) is None:
        return work.asked(feature, contrast)
    return _plain(feature, answering.compared(feature, work.of(feature.name), contrast))


def _plain(feature: Known, asked: Asked) -> Asked:
    """What is compared, of a measured feature without correction: every check of one has more than two classes, but for
    objects by text prompts."""
    if feature.kind != "measured" or feature.only_corrected:
        return asked
    why = UNCORRECTED.format(name=feature.name, count=len(feature.classes)) if feature.audited_by else ""
    return replace(asked, properties=(), audited=not feature.detected, hindered=why)


def _feature(known: Known, asked: Asked, contrast: str) -> Feature:
    if len(asked.properties) > 1:
        raise NotEnoughLabels(TWO_CLASSES.format(name=known.name, count=len(known.classes)))
    return Feature(asked.x, contrast == PER_SD, asked.properties[0] if asked.properties else None)


def _depends(found: Answer, one: Feature, other: Feature) -> dict[str, Any]:
    assert found.rows is not None
    said = depends(found.rows, one, other)
    told: dict[str, Any] = asdict(said.difference) | {"ci": list(said.difference.ci)}
    return told | {"high": short(said.high), "low": short(said.low), "audits": said.audits}


def _holding(found: Answer, one: Feature, other: Feature) -> dict[str, Any]:
    assert found.rows is not None
    said = holding(found.rows, one, other)
    counts = {name: getattr(said.held, name) for name in ("titles", "assets", "impressions")}
    return {"alone": short(said.alone), "held": short(said.held), "audits": said.audits} | counts
