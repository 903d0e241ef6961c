"""Which run's list of suspected label errors experts read, and whether it was made.

Made at most once for each run whose figures they are shown: a list that followed every answer would tell what is
learned from. A worker may end between the run and its list, so a run remembers that its list was made, and the next
round catches up; of more than 1,000 answers the next one whose slow figures are due (`workers.rounds.slow_figures`).
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people import visible_runs
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Run, ToldLabelError


def owed(session: Session, attribute_id: int) -> int | None:
    """The run whose list experts should read and which nobody has made yet; None where they have theirs."""
    told = visible_runs.to_experts(session, [attribute_id]).get(attribute_id)
    if told is None:
        return None
    run = _run(session, attribute_id, told[-1])
    if run is None or RunAdvice.from_dict(run.advice).suspected is not None:
        return None
    # Made before runs remembered it.
    mine = (ToldLabelError.attribute_id == attribute_id, ToldLabelError.run == run.number)
    return None if session.scalar(select(ToldLabelError.id).where(*mine).limit(1)) else run.number


def shown_as(session: Session, attribute_id: int, run: int) -> int | None:
    """The run as whose list experts read one that was made after ``run``; None where they go on reading what they have.

    One that is caught up knows answers of after its run. There is one such list all the same, so nobody can compare.
    """
    return run if visible_runs.is_told(session, attribute_id, run) else owed(session, attribute_id)


def remember(session: Session, attribute_id: int, run: int, answers: int) -> None:
    """Keep that the list of ``run`` was made and names so many ``answers``."""
    row = _run(session, attribute_id, run)
    if row is not None:
        row.advice = replace(RunAdvice.from_dict(row.advice), suspected=answers).to_dict()


def _run(session: Session, attribute_id: int, number: int) -> Run | None:
    return session.scalar(select(Run).where(Run.attribute_id == attribute_id, Run.number == number))
