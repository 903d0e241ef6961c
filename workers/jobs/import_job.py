"""The job `import`: import an uploaded file of labels that was previewed and confirmed."""

from __future__ import annotations

from typing import Any

from attune.labeler.exchange import import_labels, uploads
from attune.labeler.exchange.import_files import Columns
from attune.labeler.jobs.jobs import Report
from attune.labeler.settings import Settings


def run(
    settings: Settings,
    report: Report,
    attribute: str,
    ticket: str,
    person: int,
    columns: list[str | None],
    create_experts: bool = False,
    who: str = "",
) -> dict[str, Any]:
    """Import the upload that ``person`` holds ``ticket`` for; the counts, and how many rows were left out and why.

    Done a second time it changes nothing. Raises DataError where the upload is gone,
    AccessError where ``person`` is no longer an owner.
    """
    report(0, 1)
    plan = import_labels.import_labels(
        settings,
        attribute,
        uploads.fetch(settings, person, ticket),
        Columns(*columns),
        create_experts,
        who,
        person or None,
    )
    uploads.drop(settings, person, ticket)
    report(1, 1)
    counts = {key: value for key, value in plan.to_dict().items() if key != "rows_left_out"}
    return {"attribute": attribute} | counts
