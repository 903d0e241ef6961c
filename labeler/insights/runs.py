"""One run: discovery on one half of the titles, then answers to all questions, with one false discovery rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.insights import answer as answering
from attune.labeler.insights import beside, companions, discover, evidence, features, insights, questions
from attune.labeler.insights.answer import Asked
from attune.labeler.insights.examples import examples
from attune.labeler.insights.family import decide, first_looks, first_looks_beside
from attune.labeler.insights.known import Known
from attune.labeler.insights.work import Work
from attune.labeler.records.schema import InsightQuestion, InsightRun
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, NotEnoughLabels
from attune.models.insights.outcomes import Floats
from attune.models.insights.row_parts import Valued

Q = insights.LARGEST_Q
SEED = 0  # nothing is drawn: the halves come from the titles' ids, so the same inputs give the same figures
Report = Callable[[int, int], None]
Bools = npt.NDArray[np.bool_]


def run(
    settings: Settings, report: Report, q: float = Q, who: str = "", asked_by: int | None = None
) -> InsightRun:  # fmt: skip
    """Find questions, answer all that were ever asked, and keep the answers to those that are in force.

    Nothing is written before the end: questions, answers and what was looked at are kept together or not at all, so
    nobody sees a finding of a run that has not said what it looked at. ``q``: the largest that counts as sure. Raises
    DataError without performance or without any feature, and where files are gone; AccessError where the login
    ``asked_by`` is no longer an owner's.
    """
    started, rows, known = now(), evidence.load(settings), features.known(settings)
    if rows is None:
        raise DataError(
            "There is no performance yet, so nothing can be compared. Import it: `attune performance add FILE`"
        )
    if not known:
        raise DataError(
            "There is no feature to ask about yet. Publish a probe, or import a feature: "
            "`attune features import FILE --name NAME`"
        )
    work = Work(settings, rows, known)
    with reading(settings) as session:
        before, looks = list(questions.every(session)), first_looks(session)
        work.companions, looks_beside = companions.every(session), first_looks_beside(session)
    steps = len(known) + len(before) + discover.MOST
    looked, found = _discover(work, before, lambda done: report(done, steps))
    asked = [*before, *found]
    told: list[dict[str, Any]] = []
    for number, question in enumerate(sorted(asked, key=lambda one: one.feature)):
        told.append(_figures(work, question))
        report(len(known) + number + 1, len(known) + len(asked))
    decide(told, looks, q)
    decide(beside.family(told), looks_beside, q)
    done = _record(work, q, who, started, looked)
    insights.keep(settings, done, told, found, asked_by)
    return done


def _discover(
    work: Work, before: list[InsightQuestion], report: Callable[[int], None]
) -> tuple[dict[str, int], list[InsightQuestion]]:
    """What discovery asked of each feature but the drafts, and the questions that it raises."""
    looked: dict[str, int] = {}
    candidates, screened = [], set()
    for number, (name, feature) in enumerate(work.known.items()):
        if name in work.drafts:
            continue
        looked[name] = 0
        if feature.values not in screened:  # the same values under two names are one finding
            found, looked[name] = discover.screen(work.rows, feature, work.of(name), work.half)
            candidates += found
        screened.add(feature.values)
        report(number + 1)
    new = [one for one in discover.chosen(candidates) if not any(_covers(row, one, work) for row in before)]
    origin = questions.DISCOVERY
    return looked, [
        questions.frozen(work.known[one.feature], one.contrast, one.canvas, questions.CONFIRMATION, origin, "Attune")
        for one in new
    ]


def _covers(row: InsightQuestion, one: discover.Candidate, work: Work) -> bool:
    """Whether the question was asked before, in force or retired: discovery never raises it again."""
    named = row.feature == one.feature or row.values == work.known[one.feature].values
    return named and row.canvas == one.canvas and questions.same(row.contrast, one.contrast)


def _figures(work: Work, question: InsightQuestion) -> dict[str, Any]:
    """One question's figures and inputs."""
    questions.check(question)
    feature = work.known.get(question.feature)
    if question.seen and feature is not None and feature.values == question.values:
        new = evidence.load(work.settings, after=question.asked_at)  # nobody can have seen this when they asked
        told = None if new is None else _answered(work.over(new), question, feature, new=True)
        if told is not None and told["figures"]["estimate"] is not None:
            return told
    return _answered(work, question, feature)


def _answered(work: Work, question: InsightQuestion, feature: Known | None, new: bool = False) -> dict[str, Any]:
    """The figures of the work's rows. ``new``: all of them are of a time after the question was asked."""
    rows = work.rows
    if feature is None:
        return _none(work, question, f"The feature {question.feature} is not there any more.", [])
    inputs: list[dict[str, Any]] = [dict(feature.inputs), {"performance": list(rows.digests)}]
    canvas = work.canvas(question.canvas)
    if question.canvas and canvas is None:
        return _none(work, question, f"No performance was imported for the canvas {question.canvas}.", inputs)
    try:
        asked = work.asked(feature, question.contrast)
    except NotEnoughLabels as error:
        return _none(work, question, str(error), inputs)
    with reading(work.settings) as session:
        seen = not new and (question.seen or not questions.holds(session, question, feature))
    titles = None if new or (question.titles == questions.ALL and not seen) else ~work.half
    found = answering.answer(rows, asked, titles, canvas)
    told = answering.figures(found, asked, rows)
    told["canvases"] = answering.by_canvas(rows, found, asked) if canvas is None else []
    told["seen"], told["values"] = seen, feature.values
    told["halves"] = _halves(work, asked, canvas, found.corrected is not None)
    if question.id in work.companions:
        told |= beside.told(work, beside.Base(question, feature, asked, found, seen), inputs)
    if found.effect is not None and found.rows is not None and found.within:
        told["examples"] = examples(rows, Valued(found.rows, _exemplary(feature, asked)), found.effect.estimate)
    return {"question": question, "figures": told, "grade": found.grade or "", "inputs": inputs}


def _exemplary(feature: Known, asked: Asked) -> Floats:
    """What examples are chosen by (assets,): of a guess people's answers, as two guessed images may show neither."""
    if not feature.guessed:
        return asked.x
    found, seen = np.full(len(asked.x), np.nan), asked.properties[0]
    found[seen.audited] = seen.answer > 0.5
    return found


def _none(work: Work, question: InsightQuestion, why: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"estimate": None, "why": why, "within": True, "random": False, "unit": None}
    figures |= {"canvases": [], "halves": {}, "corrected": None, "uncorrected": None}
    figures |= beside.nothing(work.companions.get(question.id, []), why)
    return {"question": question, "figures": figures, "grade": "", "inputs": inputs}


def _halves(work: Work, asked: Asked, canvas: int | None, corrected: bool) -> dict[str, Any]:
    """The two halves beside each other: what was found, and what the titles say that had no part in it.

    ``corrected``: the whole is, so a half with too few audits has no figure beside it.
    """
    told: dict[str, Any] = {}
    for name, half in (("discovery", work.half), ("confirmation", ~work.half)):
        part = answering.answer(work.rows, asked, half, canvas)
        effect = part.effect if part.corrected is not None or not corrected else None
        told[name] = None if effect is None else {
            "estimate": effect.estimate, "se": effect.se, "ci": list(effect.ci), "titles": effect.titles
        }  # fmt: skip
    return told


def _record(work: Work, q: float, who: str, started: datetime, looked: dict[str, int]) -> InsightRun:
    inputs = {"performance": list(work.rows.digests), "features": {one.name: one.digest for one in work.known.values()}}
    return InsightRun(
        q=q, seed=SEED, inputs=inputs, looked=looked, values={name: work.known[name].values for name in looked},
        found=[], started_by=who, started_at=started, finished_at=now(),
    )  # fmt: skip
