"""The answer to one question: an effect with its grade, what a spreadsheet would have said, and how titles differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.insights.evidence import Basis, Rows
from attune.labeler.insights.features import pair
from attune.labeler.insights.known import Known
from attune.models.errors import NotEnoughLabels
from attune.models.insights.across_titles import effect_across, naive_ratio
from attune.models.insights.corrected import Corrected, corrected_jointly
from attune.models.insights.grades import Grade, grade
from attune.models.insights.outcomes import Floats, Outcomes
from attune.models.insights.probed import Probed
from attune.models.insights.row_parts import Parts, Valued
from attune.models.insights.sensitivity import e_value, robustness_value
from attune.models.insights.shrinkage import shrink
from attune.models.insights.within_title import (
    LEAST_TITLES,
    Effect,
    contrast,
    effect_within,
    per_standard_deviation,
)

Bools = npt.NDArray[np.bool_]
NOT_ACROSS = (
    "Each title has the same class on all its images, so only whole titles can be compared, and there audits cannot "
    "correct its errors. Import performance of titles whose images differ in it."
)


@dataclass(frozen=True, eq=False)
class Asked:
    """``x`` for all assets (assets,): 1 and 0 for two classes, or in standard deviations of ``unit``; NaN: unknown.

    ``properties``: of a feature whose errors are to be corrected, that of ``x`` first. ``audited``: no errors are left
    of which nobody knows, once they are corrected; else they need not be, and ``hindered`` says why they cannot be.
    ``checked``: people have answered enough, so a figure that is not corrected is known to be wrong.
    """

    x: Floats
    unit: float | None
    properties: tuple[Probed, ...] = ()
    audited: bool = True
    hindered: str = ""
    checked: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """``effect`` of ``rows`` with ``grade``; ``within`` titles or across; or ``why`` there is none.

    ``corrected`` where the feature's errors are; ``uncorrected`` is what its thresholded classes would say.
    ``hindered``: why a detector's errors are not corrected, though people check them.
    """

    effect: Effect | None
    grade: Grade | None
    basis: Basis
    within: bool
    rows: Parts | None
    why: str = ""
    corrected: Corrected | None = None
    uncorrected: Effect | None = None
    hindered: str = ""


def compared(feature: Known, values: npt.NDArray[np.object_], chosen: str) -> Asked:
    """The feature's values (assets,) as a comparison. Raises NotEnoughLabels for a number that is always the same."""
    two = pair(feature, chosen)
    if two is not None:
        return Asked(contrast(values, *two), None, audited=not feature.detected)
    numbers = np.asarray(values, dtype=np.float64)
    x, deviation = per_standard_deviation(numbers, np.arange(len(numbers)))
    return Asked(x, deviation, audited=not feature.detected)


def answer(rows: Rows, asked: Asked, titles: Bools | None = None, canvas: int | None = None) -> Answer:
    """Answer from the best rows that are enough: random ones, else those with logged chances, else all within titles,
    else all across titles.

    ``titles`` (titles,) are those that may answer, ``canvas`` is one alone. Of an attribute whose errors cannot be
    corrected, or not yet, there is no figure, only the uncorrected one, to be struck through; of a detector the
    uncorrected one stands until people have checked enough, with a grade that says so.
    """
    whys: list[str] = []
    x = asked.x
    for basis, source in rows.sources():
        chosen = select(rows, source, titles, canvas)
        try:
            effect = effect_within(Valued(chosen, x))
        except NotEnoughLabels as error:
            whys.append(str(error))
            continue
        best = grade_of(rows, replace(asked, audited=True), basis)
        return _corrected(Answer(effect, grade_of(rows, asked, basis), basis, True, chosen), asked, best)
    chosen = select(rows, rows.every, titles, canvas)
    if not _varies(Valued(chosen, x)):  # only what cannot be asked within titles is compared across them
        try:
            effect = effect_across(Valued(chosen, x))
            if asked.properties and (asked.audited or asked.checked):
                return Answer(None, None, "every", False, chosen, NOT_ACROSS, uncorrected=effect)
            given, hindered = grade(rows.evidence("every", within=False)), NOT_ACROSS if asked.properties else ""
            return Answer(effect, given, "every", False, chosen, hindered=hindered)
        except NotEnoughLabels as error:
            whys.append(str(error))
    return Answer(None, None, "every", True, None, whys[-1])


def grade_of(rows: Rows, asked: Asked, basis: Basis) -> Grade:
    """The grade of a comparison within titles."""
    return grade(replace(rows.evidence(basis), audited=asked.audited))


def _corrected(found: Answer, asked: Asked, best: Grade) -> Answer:
    """The answer with the feature's errors corrected by its audits, with the grade ``best``."""
    if not asked.properties or found.rows is None:
        return found
    try:
        done = corrected_jointly(found.rows, asked.properties, classes=True)[0]
    except NotEnoughLabels as error:
        if not (asked.audited or asked.checked):
            return replace(found, hindered=str(error))
        return replace(found, effect=None, grade=None, uncorrected=found.effect, why=str(error))
    return replace(found, effect=done.effect, grade=best, corrected=done, uncorrected=done.uncorrected)


def select(rows: Rows, source: Parts, titles: Bools | None, canvas: int | None) -> Parts:
    """The rows of some titles and one canvas; ``source`` itself where all are meant, for they can be many."""
    if titles is None and canvas is None:
        return source

    def kept(part: Outcomes) -> Bools:
        found = np.ones(len(part), dtype=bool) if titles is None else titles[part.title]
        return found if canvas is None else found & (rows.canvas(part) == canvas)

    return source.chosen(kept)


def _varies(valued: Valued) -> bool:
    """Whether any title has images that differ in their value."""
    for rows, x in valued:
        known = np.isfinite(x)
        title, value = rows.title[known], x[known]
        if len(title):
            starts = np.flatnonzero(np.r_[True, title[1:] != title[:-1]])
            if (np.maximum.reduceat(value, starts) > np.minimum.reduceat(value, starts)).any():
                return True
    return False


def figures(found: Answer, asked: Asked, rows: Rows) -> dict[str, Any]:
    """All that is kept of an answer, as JSON, without what the other answers of a run say of it (q, shrinkage)."""
    basis: dict[str, Any] = {"random": found.basis == "random", "basis": found.basis, "within": found.within}
    basis |= {"unit": asked.unit, "why": found.why, "log": rows.logged.as_json() if rows.logged else None}
    basis |= {"undeclared": rows.undeclared, "simulated": rows.simulated}
    checks = {"tested": rows.tested, "flagged": rows.flagged, "believed": rows.believed}
    unknown = not asked.audited and found.corrected is None
    basis |= {"corrected": None, "uncorrected": short(found.uncorrected), "not_audited": unknown}
    basis |= {"hindered": (found.hindered or asked.hindered) if unknown else ""}
    if found.corrected is not None:
        more = {"audits": found.corrected.audits, "errors_follow_performance": found.corrected.follow}
        basis["corrected"] = (short(found.effect) or {}) | more
    if found.effect is None or found.rows is None:
        return basis | {"ratio": checks, "estimate": None}
    effect = found.effect
    told: dict[str, Any] = asdict(effect) | {"ci": list(effect.ci)}
    told["share_other_way"] = effect.share_other_way if found.within else None
    plain = _unweighted(rows, found.rows) if found.basis == "logged" else found.rows
    told["naive"] = naive_ratio(Valued(plain, asked.x))
    told["rate"] = effect.takes / max(effect.impressions, 1)
    # What was random, or is weighted by its chances, has no unmeasured cause to look for.
    if found.basis == "every" or (found.basis == "random" and not rows.believed):
        near = e_value(effect.estimate, effect.ci)
        told["e_value"] = {"estimate": near[0], "interval": near[1]}
        told["robustness_value"] = robustness_value(effect.estimate, effect.se, effect.degrees)
    return basis | {"ratio": checks} | told


def _unweighted(rows: Rows, chosen: Parts) -> Parts:
    """The rows of ``chosen`` as they were counted."""
    titles, strata = np.zeros(len(rows.title_ids), dtype=bool), np.zeros(len(rows.canvas_of), dtype=bool)
    for part in chosen.parts():
        titles[part.title], strata[part.canvas] = True, True
    return rows.every.chosen(lambda part: titles[part.title] & strata[part.canvas])


def short(effect: Effect | None) -> dict[str, Any] | None:
    """A figure with its error and interval, as JSON."""
    return None if effect is None else {"estimate": effect.estimate, "se": effect.se, "ci": list(effect.ci)}


def by_canvas(rows: Rows, found: Answer, asked: Asked) -> list[dict[str, Any]]:
    """The effect on each canvas that has enough titles, drawn towards that of all; the others are named without one.

    Nobody asked about these canvases one by one, and they have no q: they are ``exploratory``, and never published.
    """
    if found.rows is None or found.effect is None or not found.within:
        return []
    told, there = [], np.zeros(len(rows.canvases), dtype=bool)
    for some in found.rows.parts():
        there[rows.canvas(some)] = True
    if there.sum() < 2:
        return []
    for number in np.flatnonzero(there).tolist():
        part = select(rows, found.rows, None, number)
        one: dict[str, Any] = {"canvas": str(rows.canvases[number]), "estimate": None, "exploratory": True}
        try:
            effect = effect_within(Valued(part, asked.x))
            if found.corrected is not None:
                effect = corrected_jointly(part, asked.properties, classes=True)[0].effect
        except NotEnoughLabels as error:
            told.append(one | {"why": str(error), "least": LEAST_TITLES})
            continue
        told.append(one | {"estimate": effect.estimate, "se": effect.se, "ci": list(effect.ci),
                           "titles": effect.titles, "impressions": effect.impressions})  # fmt: skip
    known = [one for one in told if one["estimate"] is not None]
    drawn = shrink([one["estimate"] for one in known], [one["se"] for one in known], found.effect.estimate)
    for one, estimate, se in zip(known, drawn.estimate, drawn.se, strict=True):
        one["shrunk"] = {"estimate": float(estimate), "se": float(se)}
    return told
