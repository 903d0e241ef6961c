"""A review measured ahead: every figure that its page shows of a run, worked out once and kept for the pages."""

from __future__ import annotations

import time
from datetime import timedelta

from attune.labeler.attributes import attributes
from attune.labeler.catalog import audit_slices, gates, kept_review, review_figures
from attune.labeler.catalog.audit_evidence import Evidence, Scored, paired
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.kept_review import Made
from attune.labeler.catalog.run_facts import LATEST, find_run, thresholds_of
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.evaluation.metrics import too_few

RESTS = 9  # times as long as the last one took: figures that follow every answer take a tenth of a processor at most
DECIDABLE = timedelta(minutes=5)  # without it nobody could decide while answers come steadily


def measure(
    settings: Settings, name: str, candidate: str | int = LATEST, column: str = "", class_name: str = ""
) -> int:
    """Keep the figures of run ``candidate`` beside the champion, as of now; the run's number.

    ``column`` and ``class_name`` beside those that the page opens with. Raises UnknownAttribute, UnknownProbe.
    """
    at, began = now(), time.process_time()
    with reading(settings) as session:
        run = find_run(session, attributes.find(session, name), candidate)
    champion, evidence = gates.champion_of(settings, name), gather(settings, name)
    rival = None if champion is None or champion.id == run.id else champion
    mine = _side(evidence, run)
    theirs = None if rival is None else _side(evidence, rival)
    if rival is not None:
        paired(evidence, run, rival)
    named = (0, evidence.classes.index(class_name) if class_name in evidence.classes else 0)
    shown = [place for place in named if not too_few(review_figures.truth(evidence, place))]
    for scored in filter(None, (mine, theirs)):
        for place in shown:
            review_figures.curves(evidence, scored, place)
    review_figures.agreement(evidence, mine)
    with reading(settings) as session:
        review_figures.span(session, evidence, run)
        for one in ("", column):
            audit_slices.slices(session, evidence, mine, thresholds_of(run, evidence.classes), one)
    number = 0 if champion is None else champion.number
    kept_review.save(settings, evidence, run.number, number, at, time.process_time() - began)
    return run.number


def leave(settings: Settings, name: str, number: int) -> bool:
    """After a round: measure its run ``number`` of a large question, unless the last ones took too long for that.

    What is left out is measured as soon as somebody looks (`web.review_waits.ask_anew`).
    """
    champion = gates.champion_of(settings, name)
    beside = 0 if champion is None else champion.number
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        if not kept_review.is_large(attribute):
            return False
        last = kept_review.newest(settings, attribute, beside)
        kept = None if last is None else kept_review.find(settings, session, attribute, last, beside)
    if kept is not None and not rested(kept.made):
        return False
    measure(settings, name, number)
    return True


def rested(made: Made) -> bool:
    """Whether figures that were ``made`` then may be made anew."""
    return (now() - made.at).total_seconds() >= RESTS * made.seconds


def outdated(made: Made | None) -> bool:
    """Whether figures (None: of now) must be made anew before somebody decides by them."""
    if made is None or made.stands:
        return False
    return now() - made.at >= DECIDABLE and rested(made)


def _side(evidence: Evidence, run: Run) -> Scored | None:
    scored = None if evidence.why_not(run) else evidence.scored(run)
    gates.measured(evidence, run, scored)
    return scored
