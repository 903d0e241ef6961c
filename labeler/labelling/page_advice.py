"""Whether an expert's next answers are to be on single images or on pages: as the last run suggests, or as chosen.

A run compares what both ways are expected to teach a second (`workers.rounds.pages_of_images`); the run is the one
whose figures experts read, as an answer after which the suggestion turned would tell what was learned from it. What an
expert chose stays until that expert chooses anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.labelling import own_queue
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import PageAdvice, RunAdvice
from attune.labeler.records.schema import Attribute, Queue, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError

SINGLE, PAGE, SUGGESTED = "single", "page", ""


@dataclass(frozen=True)
class Way:
    """How to answer next: ``name`` is single or page; ``why`` is one sentence, empty where nothing was compared yet;
    ``is_chosen``: the expert chose it, whatever Attune suggests."""

    name: str
    why: str = ""
    is_chosen: bool = False


def way(session: Session, attribute: Attribute, queue: Queue) -> Way:
    """How the expert of ``queue`` answers next."""
    if queue.way in {SINGLE, PAGE}:
        return Way(
            queue.way, gettext("You chose this. Attune suggests nothing else until you ask it to."), is_chosen=True
        )
    shown = visible_runs.to_experts(session, [attribute.id]).get(attribute.id, [0])[-1]
    last = session.scalar(select(Run.advice).where(Run.attribute_id == attribute.id, Run.number == shown))
    found = RunAdvice.from_dict(last).pages
    if found is None or found.revision != attribute.revision:
        return Way(SINGLE)
    return Way(PAGE if found.is_page else SINGLE, sentence(found))


def of_viewer(settings: Settings, viewer: Viewer, name: str) -> Way:
    """How the viewer answers ``name`` next. Raises UnknownAttribute, AccessError."""
    with reading(settings) as session:
        one, queue, _ = own_queue.find(session, viewer, name)
        return way(session, one, queue)


def switch_to(session: Session, attribute: Attribute, queue: Queue, here: str) -> str:
    """Why the expert, who answers the way ``here``, should answer the other way; empty where nothing says so."""
    found = way(session, attribute, queue)
    return found.why if not found.is_chosen and found.name != here else ""


def sentence(found: PageAdvice) -> str:
    """Which way is suggested, without a figure: from expected seconds one could work out what the probe expects of the
    next images, which is not for experts to read."""
    if found.is_page:
        why: str = gettext("Right now, Attune learns more per minute from pages of images.")
    else:
        why = gettext("Right now, Attune learns more per minute from single images.")
    return why


def choose(settings: Settings, viewer: Viewer, name: str, wanted: str) -> None:
    """Keep how the viewer answers ``name`` from now on; empty: as Attune suggests.

    Raises UnknownAttribute, AccessError, DataError for another word.
    """
    if wanted not in {SINGLE, PAGE, SUGGESTED}:
        raise DataError(f"{wanted[:40]!r} is no way to answer. Expected single, page, or nothing. Load the page again.")
    with writing(settings) as session:
        _, queue, _ = own_queue.find(session, viewer, name)
        queue.way = wanted
