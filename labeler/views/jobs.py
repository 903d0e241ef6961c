"""What the workers were asked for: jobs of one kind about one thing together, what needs somebody first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures, job_words, retry
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

PAGE = 30
STATES = ("running", "queued", "failed", "lost", "done")
ACTIVE = ("running", "queued")
FIRST_FOR = timedelta(days=7)  # so long a failure that nobody has mended stands above what went well
# Arguments that say what a result holds for, or who asked, and not what was asked.
UNTOLD = ("encoder", "assets", "token", "ticket", "asked_by", "who")


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
class JobsPage:
    """A page of jobs in groups, and how many jobs there are in each state."""

    groups: Page[JobGroup]
    counts: Mapping[str, int]
    state: str


def jobs_page(settings: Settings, state: str = "", page: int = 1) -> JobsPage:
    """The jobs in ``state``, or all of them."""
    shown = state if state in STATES else ""
    with reading(settings) as session:
        every = _groups(session)
        found = sorted((one for one in every if one.state == shown or not shown), key=_place)
        number = max(1, min(page, -(-len(found) // PAGE)))
        some = found[(number - 1) * PAGE : number * PAGE]
        newest = _newest(session, some)
        groups = [_group(settings, session, newest[one], one) for one in some if one in newest]
    counts = {name: sum(one.times for one in every if one.state == name) for name in STATES}
    return JobsPage(Page(groups, number, PAGE, len(found)), counts, shown)


@dataclass(frozen=True)
class _Found:
    """A group as the records tell it; ``well_at``: when what it asks was last asked for and went well."""

    kind: str
    subject: str | None
    state: str
    asked: str
    created_at: datetime
    times: int
    well_at: datetime | None = None

    @property
    def mended(self) -> bool:
        """Whether it went well since this failed."""
        return self.well_at is not None and self.well_at > self.created_at


# What waits or runs stands alone. Of what failed only the same request again is one group, so that each can be tried
# again.
_ASKED = case((Job.state.in_(ACTIVE), Job.id), (Job.state.in_(retry.ENDED_BADLY), cast(Job.arguments, Text)), else_="")


def _groups(session: Session) -> list[_Found]:
    """One pass over all jobs: there may be tens of thousands."""
    told = (Job.kind, Job.subject, Job.state, _ASKED)
    rows = session.execute(select(*told, func.max(Job.created_at), func.count()).group_by(*told))
    found = [_Found(*row) for row in rows]
    well = {(one.kind, one.subject): one.created_at for one in found if one.state == "done"}
    without = _went_well_without_subject(session, found)
    return [
        replace(one, well_at=without(one) if one.subject is None else well.get((one.kind, one.subject)))
        for one in found
    ]


def _went_well_without_subject(session: Session, found: Sequence[_Found]) -> Callable[[_Found], datetime | None]:
    """When a job without a subject that failed last went well: the same request again, or a sync of everything.

    Another request of the same kind may be about somebody or something else, and mends nothing.
    """
    kinds = {one.kind for one in found if one.state in retry.ENDED_BADLY and one.subject is None}
    rows = select(Job.kind, cast(Job.arguments, Text), func.max(Job.created_at)).where(
        Job.state == "done", Job.subject.is_(None), Job.kind.in_(kinds)
    )
    done = (
        {(kind, asked): at for kind, asked, at in session.execute(rows.group_by(Job.kind, cast(Job.arguments, Text)))}
        if kinds
        else {}
    )
    whole = max((at for (kind, asked), at in done.items() if kind == "sync" and _is_whole(asked)), default=None)

    def well_at(one: _Found) -> datetime | None:
        same = done.get((one.kind, one.asked))
        return max(filter(None, (same, whole if one.kind == "sync" else None)), default=None)

    return well_at


def _is_whole(asked: str) -> bool:
    return bool(json.loads(asked).get("whole"))


def _place(one: _Found) -> tuple[int, float]:
    """What needs somebody first, then the newest."""
    fresh = one.state in retry.ENDED_BADLY and not one.mended and one.created_at > now() - FIRST_FOR
    return 0 if one.state in ACTIVE else 1 if fresh else 2, -one.created_at.timestamp()


def _newest(session: Session, groups: Sequence[_Found]) -> dict[_Found, Job]:
    """The newest job of each group."""
    by_key = {(one.kind, one.subject, one.state, one.asked, one.created_at): one for one in groups}
    times = {one.created_at for one in groups}
    found: dict[_Found, Job] = {}
    for job, asked in session.execute(select(Job, _ASKED).where(Job.created_at.in_(times)).order_by(Job.id)):
        group = by_key.get((job.kind, job.subject, job.state, asked, job.created_at))
        if group is not None:
            found.setdefault(group, job)
    return found


def _group(settings: Settings, session: Session, job: Job, found: _Found) -> JobGroup:
    subject, words, times = subject_of(job), job_words.words(job.kind), found.times
    failed, recovered = job.state in retry.ENDED_BADLY, found.mended
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
    asked = [value for name, value in job.arguments.items() if name not in UNTOLD and isinstance(value, str) and value]
    return (job.subject or ", ".join(asked))[:80]
