"""Where rq enters: run one job by its id, tell its progress and its end in the records."""

from __future__ import annotations

import logging
import time
from typing import Any

from rq import get_current_job

from attune.labeler import settings as reader
from attune.labeler.jobs import failures, jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import writing
from attune.labeler.services.exits import UNEXPECTED, ending
from attune.labeler.traces import spans
from attune.models.errors import JobLost

log = logging.getLogger("attune.job")
SECONDS_BETWEEN_REPORTS = 0.25


def perform(job_id: str) -> dict[str, Any]:
    """Do the job ``job_id``; its kind and arguments are in the records, so the message in Redis is only its id.

    Raises whatever the job raises, after the records say so; rq then lists it as failed.
    """
    settings = reader.build()
    with writing(settings) as session:
        job = session.get(Job, job_id)
        if job is None:
            raise JobLost(
                f"Job {job_id} does not exist: it belongs to another workspace or was deleted. Run the command again."
            )
        if job.state == "done":
            return job.result  # a message that was sent again after all
        job.state = "running"
        kind, arguments = job.kind, dict(job.arguments)
    log.info("%s starts: %s %s", job_id, kind, arguments)
    try:
        return _done(settings, job_id, kind, arguments)
    finally:
        spans.send()  # after the records know the job's end, which others wait for


def _done(settings: reader.Settings, job_id: str, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        with spans.span(f"job {kind}", _asked_by(), **{"attune.job": job_id}):
            result = jobs.run_here(settings, kind, _reporter(settings, job_id), **arguments)
    except Exception as error:
        # What no one foresaw is in this worker's log under the job's id: a page names that, and no second number.
        end = ending(error, None)
        jobs.fail(settings, job_id, failures.of_job(job_id) if end.code == UNEXPECTED else end.said)
        log.exception("%s failed", job_id)
        raise
    jobs.finish(settings, job_id, result)
    log.info("%s done", job_id)
    return result


def _asked_by() -> dict[str, str]:
    """The span that put the job into its queue."""
    message = get_current_job()
    return dict(message.meta) if message else {}


def _reporter(settings: reader.Settings, job_id: str) -> jobs.Report:
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < SECONDS_BETWEEN_REPORTS:
            return
        last = time.monotonic()
        with writing(settings) as session:
            job = session.get_one(Job, job_id)
            job.done, job.total = done, total

    return report
