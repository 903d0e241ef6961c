"""The job `members`: make groups of the members' rows that are kept, then delete those that were kept for it alone.

A job that is killed begins again (`lost_jobs.AGAIN`), a few times; its rows are there until it ends. Where it is lost
all the same, the next sweep deletes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.members import fit, kept
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.settings import Settings

PATIENCE_SECONDS = 600
BUSY = "Groups of members are being made for 10 minutes already. Wait until that ends, then try again."


def run(
    settings: Settings, report: Report = quiet, clusters: int | None = None, seed: int = fit.SEED, who: str = "",
    once: Sequence[int] = (),
) -> dict[str, Any]:  # fmt: skip
    """Returns ``{"version", "groups"}``. ``once``: numbers of files for this fit alone, deleted when it ends.

    Raises DataError without rows, NotEnoughLabels with too few, ServiceDown where another fit does not end.
    """
    try:
        with hold_lock(settings, "members", PATIENCE_SECONDS, BUSY):
            done = fit.fit(settings, report, clusters, seed, who, once)
    finally:
        kept.delete(settings, once)
    return {"version": done.id, "groups": done.groups}
