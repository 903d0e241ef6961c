"""Answers to pages of images: checked against the viewer's own pages, stored in Label Studio, then in the records.

As `take_answers`: Label Studio is the place of record, and a page is named by its key, so that its answer ends on the
images that were shown or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext

from attune.labeler.answers import ingest, ingest_grids
from attune.labeler.answers.reading_order import AskedPages, asked_pages_now
from attune.labeler.label_studio import answering
from attune.labeler.label_studio.answering import GivenPage, Kept
from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.labelling import own_queue
from attune.labeler.labelling.kept_connection import label_studio
from attune.labeler.labelling.take_answers import GONE, REVISED, look, outcomes
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import grids
from attune.labeler.records.schema import Expert, Grid, GridPage
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownAnnotationShape


@dataclass(frozen=True)
class PageAnswer:
    """The answer to one page as the browser sends it; ``once`` (a UUID of the browser's) names it for good.

    ``ticked``, ``unsure`` and ``left`` (images that could not be shown) are places on the page; ``seconds`` is the look
    at the whole page. ``is_skip``: nothing is said of any image. ``age``: seconds since it was given. ``is_first``: the
    browser showed the page as an open one. ``more``: seconds of looks in which it was corrected before it was sent.
    """

    once: str
    key: str
    ticked: frozenset[int]
    unsure: frozenset[int]
    left: frozenset[int]
    seconds: float
    is_skip: bool = False
    age: float = 0.0
    is_first: bool = False
    more: float = 0.0


def take(settings: Settings, viewer: Viewer, name: str, revision: int, answers: Sequence[PageAnswer]) -> dict[str, str]:
    """Store the viewer's ``answers`` to pages of revision ``revision``; once -> what became of it. Idempotent.

    A later answer to the same page corrects the earlier one, and one that was given before it does not. Raises
    UnknownAttribute, AccessError, DataError for a place that the page does not have, LabelStudioUnreachable,
    LabelStudioRefused: then nothing was stored that may not be sent again.
    """
    with reading(settings) as session:
        one, _, expert = own_queue.find(session, viewer, name)
        if one.revision != revision:
            return dict.fromkeys([answer.once for answer in answers], REVISED)
        grid = grids.find_grid(session, one.id, expert.id)
        wanted = GridPage.key.in_([answer.key for answer in answers])
        every = grids.pages_of_today(session, grid, wanted) if grid is not None and grid.closed_at is None else []
        pages = {page.key: page for page in every}
    outcome = dict.fromkeys([answer.once for answer in answers], GONE)
    sent = [_given(pages[answer.key], answer) for answer in answers if answer.key in pages]
    if not sent or grid is None:
        return outcome
    asked = asked_pages_now(settings, grid, [page.id for page in every])
    kept = answering.send(label_studio(settings), expert.email, sent)
    outcome |= outcomes(kept)
    first_looks = {one.once: one.lead_seconds for one in sent if one.more_seconds and one.is_first}
    stored = [_of_first_look(row, first_looks) for row in kept if not row.refused]
    if store_pages(settings, grid, expert, stored, asked):
        ingest.ask_to_learn(settings, name)
    return outcome


def _given(page: GridPage, answer: PageAnswer) -> GivenPage:
    places = range(len(page.asset_pks))
    for number in answer.ticked | answer.unsure | answer.left:
        if number not in places:
            raise DataError(
                gettext(
                    "The page has no image %(number)s, only %(count)s. Load the page again.",
                    number=number + 1, count=len(places),
                )
            )  # fmt: skip
    keys = [int(key) for key in page.asset_pks]
    ticks = Ticks(*(frozenset(keys[at] for at in marked) for marked in (answer.ticked, answer.unsure, answer.left)))
    assert page.label_studio_task is not None
    said = None if answer.is_skip else ticks
    return GivenPage(
        answer.once, page.label_studio_task, page.key, said, look(answer.seconds), answer.age, answer.is_first,
        look(answer.more),
    )  # fmt: skip


def _of_first_look(row: Kept, first_looks: Mapping[str, float]) -> Kept:
    """``row`` with the seconds of the first look alone, which its images share; Label Studio keeps those of all."""
    seconds = first_looks.get(row.once)
    return row if seconds is None else replace(row, annotation={**row.annotation, "lead_time": seconds})


def store_pages(settings: Settings, grid: Grid, expert: Expert, kept: Sequence[Kept], asked: AskedPages) -> bool:
    """Bring what Label Studio has stored of pages into the records; whether it changes what a learner sees."""
    changed = False
    with writing(settings) as session:
        row = session.get_one(Grid, grid.id)
        for one in kept:
            people = {int(one.annotation["completed_by"]): expert.email}
            try:
                changed |= ingest_grids.store(session, row, one.task, one.data, one.annotation, asked, people)
            except UnknownAnnotationShape:
                continue  # the next sync reads it again, and names it where it cannot
    return changed
