"""The job `similar`: what *Similar* needs before anybody opens it.

Images get their vectors of the taste space's own network, where the version in use, or the one that is asked for, has
one. Then what the pages read is made and kept. Each batch is on disk before the next, so a job that is killed goes on
where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
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

log = logging.getLogger("attune.similar")


def run(settings: Settings, report: Report = quiet, space: str = learned.TASTE, version: int = 0) -> dict[str, Any]:
    """Prepare ``version`` of a learned space, 0 for the one in use.

    The index of each space of the pool that *Similar* offers is kept, as it stands now: first those that wait for
    nothing, then that of taste, whose network may have images to read. Returns ``{"embedded", "copied", "left_out",
    "marks"}``. What one space raises does not stop the others, and is raised at the end: UnknownProbe, EncoderMismatch,
    CatalogError for a network whose weights are gone, and what loading an encoder raises.
    """
    row, waits = _wanted(settings, space, version)
    errors: list[Exception] = []
    kept = _keep(settings, [name for name in SPACES_OFFERED if name != learned.TASTE], errors)
    result: dict[str, Any] = {"embedded": 0, "copied": 0, "left_out": []}
    if row is not None and waits:
        try:
            result |= embed.fill(settings, towers.encoder_of(settings, row), report)
        except Exception as error:
            errors.append(error)
    kept |= _keep(settings, [learned.TASTE], errors)
    if errors:
        raise errors[0]
    return result | {"marks": kept}


def _keep(settings: Settings, names: Sequence[str], errors: list[Exception]) -> dict[str, str]:
    """Keep the index of each space that has vectors; the marks, by space. What one raises is added to ``errors``."""
    with reading(settings) as session:
        there = _spaces(settings, session, names)
    for wanted in there:
        try:
            with suppress(EmptyPool):
                space_index.made(settings, wanted, keep=True)
        except Exception as error:
            log.exception("similar: %s could not be prepared", wanted.space)
            errors.append(error)
    return {wanted.space: wanted.mark for wanted in there}


def marks(settings: Settings, session: Session) -> dict[str, str]:
    """What the indexes depend on, by space, as it is now: the job has nothing to do where it left the same."""
    return {wanted.space: wanted.mark for wanted in _spaces(settings, session, list(SPACES_OFFERED))}


def _spaces(settings: Settings, session: Session, names: Sequence[str]) -> list[space_index.Wanted]:
    """Those of the spaces ``names`` that have vectors, or may have."""
    found = []
    for name in names:
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
