"""What the workers were asked for, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select

from attune.labeler.jobs import failures
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

PAGE = 30
STATES = ("running", "queued", "failed", "lost", "done")
FOLDED = "sync"  # asked after every answer, so that they would drown the others
# Arguments that say what a result holds for, or who asked, and not what was asked.
UNTOLD = ("encoder", "assets", "token", "ticket", "asked_by")


@dataclass(frozen=True)
class Work:
    """One job; ``done`` of ``total`` steps, 0 of 0 where it tells none. ``subject`` is what it is about."""

    id: str
    kind: str
    subject: str
    state: str
    done: int
    total: int
    error: str
    created_at: datetime
    finished_at: datetime | None
    times: int = 1  # so many in a row are told in one line

    @property
    def seconds(self) -> float | None:
        """From asked to finished."""
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True)
class JobsPage:
    """A page of jobs and how many there are in each state."""

    jobs: Page[Work]
    counts: Mapping[str, int]
    state: str

    @property
    def lines(self) -> Sequence[Work]:
        """The page's jobs, with the finished syncs that follow each other as one line: its newest."""
        lines: list[Work] = []
        for folds, group in groupby(self.jobs.items, lambda job: job.kind == FOLDED and job.state == "done"):
            run = list(group)
            lines += [_folded(run)] if folds else run
        return lines


def jobs_page(settings: Settings, state: str = "", page: int = 1) -> JobsPage:
    """The jobs in ``state``, or all of them."""
    query = select(Job).order_by(Job.created_at.desc(), Job.id)
    if state in STATES:
        query = query.where(Job.state == state)
    with reading(settings) as session:
        counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        job_page = page_of(session, query, page, PAGE)
    return JobsPage(
        job_page.map(_work), {name: counts.get(name, 0) for name in STATES}, state if state in STATES else ""
    )


def _folded(run: Sequence[Work]) -> Work:
    subjects = list(dict.fromkeys(job.subject for job in run if job.subject))
    return replace(run[0], subject=", ".join(subjects), times=len(run))


def _work(job: Job) -> Work:
    arguments = {
        name: value for name, value in job.arguments.items() if name not in UNTOLD and not isinstance(value, bool)
    }
    subject = job.subject or ", ".join(str(value) for value in arguments.values() if isinstance(value, str | int))
    return Work(
        job.id, job.kind, subject[:80], job.state, job.done, job.total, failures.shown(job.id, job.error),
        job.created_at, job.finished_at,
    )  # fmt: skip
