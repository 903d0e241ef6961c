"""The job `similar`: what *Similar* needs before anybody opens it.

Images get their vectors of the taste space's own network, where the version in use, or the one that is asked for, has
one. Each batch is on disk before the next, so a job that is killed goes on where it was.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import SpaceVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.models.catalog.manifest import SPACES, Reference
from attune.models.errors import EncoderMismatch
from attune.workers.jobs import embed


def run(settings: Settings, report: Report = quiet, space: str = learned.TASTE, version: int = 0) -> dict[str, Any]:
    """Prepare ``version`` of a learned space, 0 for the one in use.

    Returns ``{"embedded", "copied", "left_out"}``. Raises UnknownProbe, EncoderMismatch, CatalogError for a network
    whose weights are gone, and what loading an encoder raises.
    """
    result: dict[str, Any] = {"embedded": 0, "copied": 0, "left_out": []}
    row, waits = _wanted(settings, space, version)
    if row is not None and waits:
        result |= embed.fill(settings, towers.encoder_of(settings, row), report)
    return result


def _wanted(settings: Settings, space: str, version: int) -> tuple[SpaceVersion | None, list[int]]:
    with reading(settings) as session:
        if version:
            row = learned.find(session, Reference(space, str(version), SPACES))
            return row, towers.waiting(settings, session, row)
        champion = learned.champion(session, space)
        if champion is None:
            return None, []
        with suppress(EncoderMismatch):  # of another encoder than the pool's: the page says so
            return champion, towers.waiting(settings, session, champion)
        return None, []
