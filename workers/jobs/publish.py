"""The job `publish`: promote a run, then have the pool scored with it."""

from __future__ import annotations

from typing import Any

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.settings import Settings


def run(settings: Settings, report: Report, **move_data: Any) -> dict[str, Any]:
    """Promote, and ask for the scores; ``move_data`` is a ``Move`` as ``Move.from_job`` reads it."""
    report(0, 2)
    move = Move.from_job(move_data)
    moved = promote(settings, move)
    report(1, 2)
    scores = jobs.ask(settings, "score", wait=False, attribute=move.attribute, version=moved.version)
    report(2, 2)
    return moved.to_dict() | {"scores": scores}
