"""Images that came after a map was made are put on it, without anybody asking."""

from __future__ import annotations

from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.records.schema import Job, Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings


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
        for space in session.scalars(select(Layout.space).distinct().order_by(Layout.space)).all():
            row = layouts.latest(session, space)
            if row is not None and row.file is not None and layouts.waiting(settings, session, row):
                break
        else:
            return {"maps": 0}
    jobs.enqueue(settings, layouts.KIND, space=space)
    return {"maps": 1}
