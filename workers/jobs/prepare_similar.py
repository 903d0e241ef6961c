"""The job `similar`: what *Similar* needs before anybody opens it.

Images get their vectors of the taste space's own network, where the version in use, or the one that is asked for, has
one. Then what the pages read is made and kept. Each batch is on disk before the next, so a job that is killed goes on
where it was.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.explore import space_index
from attune.labeler.explore.similar import SPACES as SPACES_OFFERED
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import SpaceVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.models.catalog.manifest import SPACES, Reference
from attune.models.errors import EmptyPool, EncoderMismatch, UnknownProbe
from attune.workers.jobs import embed


def run(settings: Settings, report: Report = quiet, space: str = learned.TASTE, version: int = 0) -> dict[str, Any]:
    """Prepare ``version`` of a learned space, 0 for the one in use.

    Then the index of each space of the pool that *Similar* offers is kept, as it stands now. Returns ``{"embedded",
    "copied", "left_out", "marks"}``. Raises UnknownProbe, EncoderMismatch, CatalogError for a network
    whose weights are gone, and what loading an encoder raises.
    """
    result: dict[str, Any] = {"embedded": 0, "copied": 0, "left_out": []}
    row, waits = _wanted(settings, space, version)
    if row is not None and waits:
        result |= embed.fill(settings, towers.encoder_of(settings, row), report)
    with reading(settings) as session:
        there = _spaces(settings, session)
    for wanted in there:
        with suppress(EmptyPool):
            space_index.made(settings, wanted, keep=True)
    return result | {"marks": {wanted.space: wanted.mark for wanted in there}}


def marks(settings: Settings, session: Session) -> dict[str, str]:
    """What the indexes depend on, by space, as it is now: the job has nothing to do where it left the same."""
    return {wanted.space: wanted.mark for wanted in _spaces(settings, session)}


def _spaces(settings: Settings, session: Session) -> list[space_index.Wanted]:
    """The spaces that *Similar* offers and that have vectors, or may have."""
    found = []
    for name in SPACES_OFFERED:
        with suppress(UnknownProbe, EncoderMismatch):
            wanted = space_index.look(settings, session, name)
            found += [wanted] if wanted.fingerprint is not None else []
    return found


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
