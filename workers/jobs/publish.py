"""The job `publish`: promote a run, then have the pool scored with it."""

from __future__ import annotations

from typing import Any

from attune.labeler.catalog.promote import promote
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import parse


def run(
    settings: Settings,
    report: Report,
    attribute: str,
    version: int,
    reason: str,
    who: str,
    alias: str = CHAMPION,
    override: bool = False,
    asked_at: str | None = None,
    expected: int | None = None,
    draft: bool = False,
) -> dict[str, Any]:
    """Promote, and ask for the scores. With ``asked_at`` (ISO 8601) a second run of the same job changes nothing.

    ``expected`` is the version that the alias pointed at when this was asked, 0 for none; ``draft`` as in ``promote``.
    """
    report(0, 2)
    at = parse(asked_at) if asked_at else None
    moved = promote(settings, attribute, version, reason, who, alias, override, at, expected, draft)
    report(1, 2)
    scores = jobs.ask(settings, "score", wait=False, attribute=attribute, version=moved.version)
    report(2, 2)
    return moved.to_dict() | {"scores": scores}
