"""How long an answer takes, by single images and by pages of images, as experts really took."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current
from attune.labeler.queues.chosen_pages import is_chosen
from attune.labeler.records.schema import Annotation, GridAnswer, GridPage
from attune.models.labels.answers import UNSURE
from attune.models.query.page_value import Seconds

NEWEST = 2000  # answers of each way that are looked at
LONGEST = 300.0  # seconds; a longer look was a break
FEWEST = 12  # answers that are worth a figure: one page
LEAST_LOOK = 0.1  # seconds; nobody sees an image in less


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

    Of the recorded time on pages, a look is what is left when each image that was marked took a single answer's time.
    """
    found, model = pace(session, attribute_id), Seconds()
    if found is None:
        return model
    single = found.single.seconds if found.single else model.single
    mark = found.single.seconds if found.single else model.mark
    look = model.look
    if found.page:
        look = max(found.page.seconds - marked_share(session, attribute_id) * mark, LEAST_LOOK)
    return Seconds(single, look, mark, model.submit)


def marked_share(session: Session, attribute_id: int) -> float:
    """The share of the newest answers on pages that are ticks or unsure, in [0, 1]; 0 where there are none."""
    answer = current([attribute_id])
    rows = (
        select(Annotation.value, GridPage.ticked)
        .join(answer, answer.c.id == Annotation.id)
        .join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
        .join(GridPage, GridPage.id == GridAnswer.page_id)
        .where(~is_chosen())  # whose images a person chose: they were looked at before
        .order_by(Annotation.id.desc())
        .limit(NEWEST)
    )
    marked = [value in {ticked, UNSURE} for value, ticked in session.execute(rows)]
    return sum(marked) / len(marked) if marked else 0.0


def is_timed() -> ColumnElement[bool]:
    """The condition on ``Annotation`` that its seconds are those of a look."""
    return (Annotation.lead_seconds > 0) & (Annotation.lead_seconds <= LONGEST)


def _way(session: Session, attribute_id: int, by_page: bool) -> Way | None:
    answer = current([attribute_id])
    of_page = exists().where(GridAnswer.annotation_id == Annotation.id)
    rows = select(Annotation.lead_seconds).join(answer, answer.c.id == Annotation.id)
    rows = rows.where(is_timed(), of_page if by_page else ~of_page).order_by(Annotation.id.desc()).limit(NEWEST)
    seconds = [float(one) for one in session.scalars(rows) if one is not None]
    return Way(median(seconds), len(seconds)) if len(seconds) >= FEWEST else None
