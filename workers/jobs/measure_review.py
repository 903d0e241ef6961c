"""The job `review`: the figures of one run's review, for the page that asked."""

from __future__ import annotations

from typing import Any

from attune.labeler.catalog import measure_review
from attune.labeler.catalog.run_facts import LATEST
from attune.labeler.jobs.jobs import Report
from attune.labeler.settings import Settings


def run(
    settings: Settings, report: Report, attribute: str, candidate: str = LATEST, column: str = "", class_name: str = ""
) -> dict[str, Any]:
    """Keep them. Raises UnknownAttribute, UnknownProbe."""
    report(0, 1)
    number = measure_review.measure(settings, attribute, candidate, column, class_name)
    report(1, 1)
    return {"attribute": attribute, "run": number}
