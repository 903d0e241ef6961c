"""The job `goes_with`: learn what goes with takes across titles, and keep it for the page.

It is kept at the end, so a job that is killed leaves what was learned before.
"""

from __future__ import annotations

from typing import Any

from attune.labeler.insights import goes_with_kept
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.settings import Settings

PATIENCE_SECONDS = 600
BUSY = "What goes with takes is being learned for 10 minutes already. Wait until that ends, then try again."


def run(
    settings: Settings, report: Report = quiet, seed: int = 0, who: str = "", asked_by: int | None = None
) -> dict[str, Any]:
    """Returns ``{"number", "titles"}``: of what was learned, and from how many titles.

    Raises DataError without performance or features, NotEnoughLabels with too few titles, ServiceDown where another one
    does not end, AccessError where the login ``asked_by`` is no longer an owner's.
    """
    with hold_lock(settings, "goes_with", PATIENCE_SECONDS, BUSY):
        row = goes_with_kept.learn(settings, report, seed, who, asked_by)
    return {"number": row.id, "titles": row.figures["titles"]}
