"""What the workers were asked for: jobs of one kind about one thing together, what needs somebody first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures, retry
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import job_words
from attune.models.clock import now

PAGE = 30
STATES = ("running", "queued", "failed", "lost", "done")
ACTIVE = ("running", "queued")
FIRST_FOR = timedelta(days=7)  # so long a failure that nobody has mended stands above what went well
# Arguments that say what a result holds for, or who asked, and not what was asked.
UNTOLD = ("encoder", "assets", "token", "ticket", "asked_by")


@dataclass(frozen=True)
class JobGroup:
    """``times`` jobs of one kind, subject and state, told by the newest: ``done`` of ``total`` steps (0 of 0: none).

    ``expected`` and ``next_step`` are for those that failed, as is ``may_retry``. ``seconds``: from asked to finished.
    """

    id: str
    kind: str
    subject: str
    title: str
    state: str
    times: int
    done: int
    total: int
    error: str
    created_at: datetime
    finished_at: datetime | None
    expected: str = ""
    next_step: str = ""
    may_retry: bool = False

    @property
    def seconds(self) -> float | None:
        """From asked to finished."""
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None

    @property
    def failed(self) -> bool:
        """Whether somebody may have to do something."""
        return self.state in retry.ENDED_BADLY


@dataclass(frozen=True)
class Board:
    """A page of jobs in groups, and how many jobs there are in each state."""

    groups: Page[JobGroup]
    counts: Mapping[str, int]
    state: str


def board(settings: Settings, state: str = "", page: int = 1) -> Board:
    """The jobs in ``state``, or all of them."""
    shown = state if state in STATES else ""
    grouped = _grouped(shown)
    with reading(settings) as session:
        counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        first = select(grouped.c.id).where(grouped.c.place == 1)
        first = first.order_by(grouped.c.rank, grouped.c.created_at.desc(), grouped.c.id)
        ids = page_of(session, first, page, PAGE)
        facts = select(grouped.c.id, grouped.c.times, grouped.c.well_at).where(grouped.c.id.in_(ids.items))
        times = {key: (count, well_at) for key, count, well_at in session.execute(facts)}
        found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids.items)))}
        groups = ids.map(lambda key: _group(settings, session, found[key], *times[key]))
    return Board(groups, {name: counts.get(name, 0) for name in STATES}, shown)


def _grouped(state: str) -> Any:
    """Each job with its place in its group, the group's size and rank, and when such a job last went well.

    What waits or runs stands alone. Of what failed only the same request again is one group, so that each can be tried
    again.
    """
    subject, at = func.coalesce(Job.subject, ""), Job.created_at
    failed = Job.state.in_(retry.ENDED_BADLY)
    asked = case((Job.state.in_(ACTIVE), Job.id), (failed, cast(Job.arguments, Text)), else_="")
    group = (Job.kind, subject, Job.state, asked)
    well = func.max(case((Job.state == "done", at))).over(partition_by=(Job.kind, subject)).label("well_at")
    every = select(
        Job.id, Job.state, Job.created_at, well,
        func.row_number().over(partition_by=group, order_by=(at.desc(), Job.id)).label("place"),
        func.count().over(partition_by=group).label("times"),
    ).subquery()  # fmt: skip
    mended = func.coalesce(every.c.well_at > every.c.created_at, False)
    fresh = every.c.state.in_(retry.ENDED_BADLY) & ~mended & (every.c.created_at > now() - FIRST_FOR)
    rank = case((every.c.state.in_(ACTIVE), 0), (fresh, 1), else_=2).label("rank")
    rows = select(every, rank)
    return (rows.where(every.c.state == state) if state else rows).subquery()


def _group(settings: Settings, session: Session, job: Job, times: int, well_at: datetime | None) -> JobGroup:
    subject, words = subject_of(job), job_words.words(job.kind)
    failed = job.state in retry.ENDED_BADLY
    recovered = failed and job.subject is not None and well_at is not None and well_at > job.created_at
    refused = retry.refusal(settings, session, job) if failed else ""
    return JobGroup(
        job.id,
        job.kind,
        subject,
        words.title(times, subject if times == 1 or job.subject else ""),
        job.state,
        times,
        job.done,
        job.total,
        failures.shown(job.id, job.error),
        job.created_at,
        job.finished_at,
        words.expected if failed else "",
        job_words.next_step(job.kind, refused, recovered) if failed else "",
        failed and not refused and not recovered,
    )


def subject_of(job: Job) -> str:
    """What a job is about: its attribute, or what was asked, in at most 80 characters."""
    asked = [value for name, value in job.arguments.items() if name not in UNTOLD and isinstance(value, str)]
    return (job.subject or ", ".join(asked))[:80]
