"""How long an answer takes, by single images and by pages of images, as experts really took."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current
from attune.labeler.records.schema import Annotation, GridAnswer

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


def _way(session: Session, attribute_id: int, by_page: bool) -> Way | None:
    answer = current([attribute_id])
    of_page = exists().where(GridAnswer.annotation_id == Annotation.id)
    rows = select(Annotation.lead_seconds).join(answer, answer.c.id == Annotation.id)
    timed = (Annotation.lead_seconds > 0, Annotation.lead_seconds <= LONGEST)
    rows = rows.where(*timed, of_page if by_page else ~of_page).order_by(Annotation.id.desc()).limit(NEWEST)
    seconds = [float(one) for one in session.scalars(rows) if one is not None]
    return Way(median(seconds), len(seconds)) if len(seconds) >= FEWEST else None
