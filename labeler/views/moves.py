"""What a move of an alias would change, and how a move that was asked for gets on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.alias_history import earlier
from attune.labeler.catalog.aliases import aliases_of, is_draft
from attune.labeler.catalog.run_facts import classes_of, find_run, find_version
from attune.labeler.jobs import failures, jobs
from attune.labeler.records.schema import Job, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.quality import Quality, read
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import iso, now
from attune.models.errors import CatalogError
from attune.models.labels.class_coverage import draft_classes

ALIASES = (CHAMPION, "challenger")
ENDED = {"done", "failed", "lost"}


@dataclass(frozen=True)
class Intent:
    """An attribute's pointers as a form shows them, and the run or version that it is about."""

    name: str
    question: str
    version: int
    aliases: dict[str, int]
    published: bool
    retired: bool
    draft: bool  # it is published as one
    unanswered: tuple[str, ...]  # classes without an answer: it may be promoted as a draft alone
    quality: Quality = Quality()  # after the run

    def now(self, alias: str) -> int | None:
        """Where ``alias`` points today."""
        return self.aliases.get(alias)

    @property
    def pointing(self) -> list[str]:
        """The aliases that point at the version."""
        return sorted(alias for alias, version in self.aliases.items() if version == self.version)


@dataclass(frozen=True)
class Undo:
    """A rollback that can be made: ``alias`` from ``version`` to ``target``; or ``reason`` why not."""

    name: str
    question: str
    alias: str
    version: int | None
    target: int | None
    reason: str = ""


def intent(settings: Settings, name: str, version: str | int) -> Intent:
    """What the forms need to know of run ``version``. Raises UnknownAttribute, UnknownProbe."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        run = find_run(session, one, version)
        row = session.scalar(select(Version).where(Version.attribute_id == one.id, Version.version == run.number))
        retired = row is not None and row.retired_at is not None
        draft = row is not None and is_draft(row)
        missing = draft_classes(classes_of(session, one, run), run.labels or {})
        return Intent(
            name, one.question, run.number, aliases_of(session, one), row is not None, retired, draft, missing,
            read(run.metrics or {}),
        )  # fmt: skip


def published(settings: Settings, name: str, version: int) -> Intent:
    """The same for a version. Raises UnknownProbe where it is a candidate so far."""
    with reading(settings) as session:
        find_version(session, attributes.find(session, name), version)
    return intent(settings, name, version)


def undo(settings: Settings, name: str, alias: str) -> Undo:
    """Where a rollback of ``alias`` would lead. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        current = aliases_of(session, one).get(alias)
        try:
            _, target = earlier(session, one, alias)
        except CatalogError as error:
            return Undo(name, one.question, alias, current, None, str(error))
        return Undo(name, one.question, alias, current, target)


def earlier_job(settings: Settings, name: str, who: str, asked_at: str) -> str | None:
    """The job that the same form started already: a second click of the same button."""
    with reading(settings) as session:
        recent = session.scalars(
            select(Job).where(Job.kind == "publish", Job.subject == name).order_by(Job.created_at.desc()).limit(50)
        )
        for job in recent:
            if job.arguments.get("asked_at") == asked_at and job.arguments.get("who") == who:
                return job.id
    return None


@dataclass(frozen=True)
class Step:
    """One part of the work: ``done`` of ``total``, 0 of 0 as long as neither is known."""

    title: str
    state: str
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass(frozen=True)
class Progress:
    """How a move gets on. ``moved`` is what was done, or None while or because it was not."""

    name: str
    question: str
    version: int
    alias: str | None
    steps: Sequence[Step]
    moved: dict[str, Any] | None
    stuck: bool
    now: int | None = None  # where the alias points
    seconds: int = 0  # since it was asked for

    @property
    def ended(self) -> bool:
        """Whether nothing more will change by itself."""
        return all(step.state in ENDED for step in self.steps)

    @property
    def failed(self) -> bool:
        """Whether the alias was not moved."""
        return self.steps[0].state in ("failed", "lost")


def progress(settings: Settings, name: str, job_id: str) -> Progress | None:
    """The job ``job_id`` of the attribute and the scoring that follows it; None where it is no such job.

    Raises UnknownAttribute.
    """
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        job = session.get(Job, job_id)
        if job is None or job.subject != name or job.kind not in ("publish", "score"):
            return None
        first = job.kind == "publish"
        steps = [_step("Check and publish the files", [job])] if first else []
        scoring = (job.result.get("scores") or {}) if first and job.state == "done" else {"job": job_id}
        if not first or job.state not in ("failed", "lost"):
            steps.append(_scoring(session, scoring))
        is_waiting = any(step.state == "queued" for step in steps)
        result = Progress(
            name,
            attribute.question,
            int(job.arguments["version"]),
            job.arguments.get("alias", CHAMPION) if first else None,
            steps,
            job.result if first and job.state == "done" else None,
            False,
            aliases_of(session, attribute).get(job.arguments.get("alias", CHAMPION)) if first else None,
            max(0, int((now() - job.created_at).total_seconds())),
        )
    stuck = is_waiting and not result.failed and not jobs.workers_alive(settings, "publish")
    return Progress(**{**vars(result), "stuck": stuck})


def _scoring(session: Session, scoring: dict[str, Any]) -> Step:
    title = "Score the pool"
    if scoring.get("error"):
        return Step(title, "failed", error=str(scoring.get("message", "")))
    job = session.get(Job, scoring["job"]) if scoring.get("job") else None
    if job is None or job.kind != "score":
        return Step(title, "done" if "assets" in scoring else "waiting")
    parts = job.result.get("jobs") if job.state == "done" else None
    if not parts:
        return _step(title, [job])
    return _step(title, list(session.scalars(select(Job).where(Job.id.in_(parts)))))


def _step(title: str, step_jobs: Sequence[Job]) -> Step:
    """Several jobs as one: failed where one failed, done where all are."""
    states = {job.state for job in step_jobs}
    order = ("failed", "lost", "running", "queued")
    state = next((one for one in order if one in states), "done")
    error = next((failures.shown(job.id, job.error) for job in step_jobs if job.error), "")
    if state == "queued" and "done" in states:
        state = "running"
    return Step(title, state, sum(job.done for job in step_jobs), sum(job.total for job in step_jobs), error)


def stamp() -> str:
    """The moment a form was made, which tells a second click from a second wish."""
    return iso(now())
