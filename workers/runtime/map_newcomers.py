"""Images that came after a map was made are put on it, without anybody asking."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.records.schema import Job, Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError

log = logging.getLogger("attune.schedule")
REST = timedelta(hours=1)  # after a job of this map failed


def ask(settings: Settings) -> dict[str, int]:
    """Ask for the job `map` where images have a vector and no place: one job at a time, none while others get vectors.

    It does not matter when an image came: some get their vector long after. Every space that has a map is looked at:
    taste has vectors as soon as the encoder has, colours and layers when someone computes them.
    """
    with reading(settings) as session:
        kinds = ("embed", "layers", layouts.KIND)
        busy = select(Job.id).where(Job.kind.in_(kinds), Job.state.in_(("queued", "running")))
        if session.scalar(busy.limit(1)):
            return {"maps": 0}
        spaces = session.scalars(select(Layout.space).distinct().order_by(Layout.space)).all()
        space = next((one for one in spaces if _has_newcomers(settings, session, one)), None)
    if space is None:
        return {"maps": 0}
    jobs.enqueue(settings, layouts.KIND, space=space)
    return {"maps": 1}


def _has_newcomers(settings: Settings, session: Session, space: str) -> bool:
    """Whether images wait for a place on the map of ``space``; a broken map rests, and keeps no other one waiting."""
    if layouts.failed_since(session, space, now() - REST):
        return False
    try:
        row = layouts.latest(session, space)
        return row is not None and row.file is not None and layouts.waiting(settings, session, row) > 0
    except DataError as reason:
        log.warning("the map of the space %s takes no newcomers: %s", space, reason)
        return False
