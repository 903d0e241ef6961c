"""How many answers a project holds, against the records: one that no time tells of shows in their number.

A sync asks for the tasks that changed since a moment, by Label Studio's own times. Label Studio commits an annotation
before it moves its task's time, so that one which is killed in between, or whose clock was set back, holds an answer
that no such question finds. It counts a project's annotations anew whenever it lists the project: no clock is needed,
and nobody need have seen that it was away.
"""

from __future__ import annotations

import logging

from sqlalchemy import CompoundSelect, func, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion
from attune.labeler.label_studio import projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Listed
from attune.labeler.records.schema import Annotation, Grid, GridPage, Queue, Stray, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings

log = logging.getLogger("attune.sync")
LOOKS = 3  # an answer may be on its way from Label Studio to the records at one of them


def differs(settings: Settings, ls: LabelStudio, row: Queue | Grid, there: Listed | None) -> bool:
    """Whether the project of a queue, or of pages, holds another number of answers than the records expect.

    ``there`` is the project as it was listed before its changes were read; asks again only where that differs. False
    for a project that is gone, and for a Label Studio that tells no numbers.
    """
    if there is None or there.answers is None or there.answers == _expected(settings, row):
        return False
    for _ in range(LOOKS):
        before, held = _expected(settings, row), _answers(ls, row)
        if held is None or before <= held <= _expected(settings, row):
            return False
    log.warning("project %d holds %s answers, and not %d: all are read", row.project, held, before)
    return True


def note(settings: Settings, ls: LabelStudio, row: Queue | Grid) -> None:
    """All was read: keep what the project holds beyond the records, so that the next difference shows.

    An answer given just now makes it wrong by one: then the next sync reads all once more, and puts it right.
    """
    held = _answers(ls, row)
    if held is None:
        return
    with writing(settings) as session:
        surplus = held - _recorded(session, row)
        session.execute(update(type(row)).where(type(row).id == row.id).values(answer_surplus=surplus))


def _answers(ls: LabelStudio, row: Queue | Grid) -> int | None:
    there = projects.list_projects(ls, only=row.project).get(row.project)
    return None if there is None else there.answers


def _expected(settings: Settings, row: Queue | Grid) -> int:
    with reading(settings) as session:
        return _recorded(session, row) + row.answer_surplus


def _recorded(session: Session, row: Queue | Grid) -> int:
    return session.scalar(select(func.count()).select_from(_held(row).subquery())) or 0


def _held(row: Queue | Grid) -> CompoundSelect[int | None]:
    """The ids of the annotations that the records take the row's project to hold, counted or not."""
    if isinstance(row, Queue):
        mine = (Task.queue_id == row.id, Annotation.label_studio_id.is_not(None), exclusion.kept_in_label_studio())
        known = select(Annotation.label_studio_id).join(Task, Task.id == Annotation.task_id).where(*mine)
    else:
        known = select(GridPage.label_studio_id).where(
            GridPage.grid_id == row.id, GridPage.label_studio_id.is_not(None)
        )
    return known.union(select(Stray.label_studio_id).where(Stray.project == row.project))
