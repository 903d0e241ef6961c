"""How many answers a project holds, against the records: one that no time tells of shows in their number.

A sync asks for the tasks that changed since a moment, by Label Studio's own times. Label Studio commits an annotation
before it moves its task's time, so that one which is killed in between, or whose clock was set back, holds an answer
that no such question finds. It counts a project's annotations anew whenever it lists the project: no clock is needed,
and nobody need have seen that it was away.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Totals:
    """The answers of one queue's project, or of one of pages; ``there`` is the project as it was listed before a sync
    read what changed in it: None for one that is gone.
    """

    settings: Settings
    ls: LabelStudio
    row: Queue | Grid
    there: Listed | None

    def differ(self) -> bool:
        """Whether the records, after what changed was read, lack answers of before, or have more than are there now.

        Answers that come while the sync runs make no difference, and hide as many that are lacking, until a sync during
        which fewer come or the daily whole one. One that is deleted meanwhile has the project read whole. Asks only
        where the number is another than the records'. False for a Label Studio that tells no numbers.
        """
        before = None if self.there is None else self.there.answers
        with reading(self.settings) as session:
            expected = _recorded(session, self.row) + self.row.answer_surplus
        if before is None or before == expected:
            return False
        after = _answers(self.ls, self.row)
        if after is None or before <= expected <= after:
            return False
        log.warning("project %d holds %d answers, and not %d: all are read", self.row.project, after, expected)
        return True

    def note(self) -> None:
        """All was read: keep what the project holds beyond the records, so that the next difference shows.

        Where somebody answered meanwhile this is only known to lie between two numbers.
        """
        before = None if self.there is None else self.there.answers
        table = type(self.row)
        with reading(self.settings) as session:
            recorded = _recorded(session, self.row)
        after = _answers(self.ls, self.row)
        if before is None or after is None:
            return
        surplus = min(max(self.row.answer_surplus, before - recorded), after - recorded)
        with writing(self.settings) as session:
            session.execute(update(table).where(table.id == self.row.id).values(answer_surplus=surplus))


def _answers(ls: LabelStudio, row: Queue | Grid) -> int | None:
    there = projects.list_projects(ls, only=row.project).get(row.project)
    return None if there is None else there.answers


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
