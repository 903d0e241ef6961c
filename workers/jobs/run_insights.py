"""The job `insights`: find questions on one half of the titles, and answer all that are in force.

Answers are kept together at the end, with the questions that it raised and what it looked at, so a job that is killed
leaves all as it was.
"""

from __future__ import annotations

from typing import Any

from attune.labeler.insights import runs
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.settings import Settings

PATIENCE_SECONDS = 600
BUSY = "Another run of insights is at work for 10 minutes already. Wait until it ends, then try again."


def run(
    settings: Settings, report: Report = quiet, q: float = runs.Q, who: str = "", asked_by: int | None = None
) -> dict[str, Any]:  # fmt: skip
    """Returns ``{"run", "found"}``: the run's number, and how many questions it found.

    Raises DataError without performance or features, ServiceDown where another run does not end, AccessError where the
    login ``asked_by`` is no longer an owner's.
    """
    with hold_lock(settings, "insights", PATIENCE_SECONDS, BUSY):
        done = runs.run(settings, report, q, who, asked_by)
    return {"run": done.id, "found": len(done.found)}
