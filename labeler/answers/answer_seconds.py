"""How long an answer takes, by single images and by pages of images, as experts really took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers, tickless_pages
from attune.labeler.queues.chosen_pages import is_chosen
from attune.labeler.records.schema import Annotation, GridAnswer, GridPage
from attune.models.labels.answers import UNSURE
from attune.models.query.page_value import Seconds, TimedPage, recorded_look

NEWEST = 2000  # answers of each way that are looked at
LONGEST = 300.0  # seconds; a longer look was a break
FEWEST = 12  # answers that are worth a figure: one page


@dataclass(frozen=True)
class Way:
    """The median seconds of ``answers`` answers given one way; a page's time is shared equally by its images."""

    seconds: float
    answers: int


@dataclass(frozen=True)
class Pace:
    """Both ways; None for one with too few answers."""

    single: Way | None
    page: Way | None


def pace(session: Session, attribute_id: int) -> Pace | None:
    """The pace of an attribute's answers, unsure and skips among them; None where no way has enough of them."""
    found = Pace(_way(session, attribute_id, by_page=False), _way(session, attribute_id, by_page=True))
    return found if found.single or found.page else None


def expected(session: Session, attribute_id: int) -> Seconds:
    """What answers to come will take: as recorded where there are enough, else by the keystroke-level model.

    Of the recorded time on a page, a look is what is left when each image that was marked took a single answer's time,
    shared by all images of the page: where no tick is no answer, most of them have none.
    """
    found, model = pace(session, attribute_id), Seconds()
    if found is None:
        return model
    single = found.single.seconds if found.single else model.single
    mark = found.single.seconds if found.single else model.mark
    pages = timed_pages(session, attribute_id) if found.page else []
    look = recorded_look(pages, mark) if pages else model.look
    return Seconds(single, look, mark, model.submit)


def timed_pages(session: Session, attribute_id: int) -> list[TimedPage]:
    """The pages of the newest answers on pages, newest first, and those of before on which nothing was ticked.

    Without pages whose images a person chose, as those were looked at before, and without those whose classes have
    other names since, as nobody can tell their ticks.
    """
    rows: Sequence[Any] = session.execute(
        select(
            GridPage.id,
            GridPage.asset_pks,
            GridPage.ticked,
            GridPage.unticked,
            Annotation.value,
            Annotation.lead_seconds,
        )
        .join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
        .join(GridPage, GridPage.id == GridAnswer.page_id)
        .where(Annotation.attribute_id == attribute_id, Annotation.deleted_at.is_(None), ~is_chosen(), is_timed())
        .order_by(Annotation.id.desc())
        .limit(NEWEST)
    ).all()
    pages: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        pages[row.id].append(row)
    if len(rows) == NEWEST and len(pages) > 1:
        pages.popitem()  # the oldest one's answers may have been cut off
    answered = [
        TimedPage(
            float(answers[-1].lead_seconds),  # the first answer's: one that a correction added has the time of both
            len(answers[0].asset_pks),
            sum(one.value in {one.ticked, UNSURE} for one in answers),
        )
        for answers in pages.values()
        if all(one.value in {one.ticked, one.unticked, UNSURE} for one in answers)
    ]
    return [*answered, *tickless_pages.timed(session, attribute_id, LONGEST)]


def is_timed() -> ColumnElement[bool]:
    """The condition on ``Annotation`` that its seconds are those of a look."""
    return (Annotation.lead_seconds > 0) & (Annotation.lead_seconds <= LONGEST)


def _way(session: Session, attribute_id: int, by_page: bool) -> Way | None:
    table = held_answers.of(session, attribute_id)
    seconds = table.looks(table.paged == by_page, LONGEST, NEWEST)
    return Way(float(np.median(seconds)), len(seconds)) if len(seconds) >= FEWEST else None
