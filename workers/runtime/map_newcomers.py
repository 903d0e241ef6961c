"""Images that came after a map was made are put on it, without anybody asking."""

from __future__ import annotations

from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings


def ask(settings: Settings) -> dict[str, int]:
    """Ask for the job `map` where images have a vector and no place: one job at a time, none while others get vectors.

    It does not matter when an image came: some get their vector long after. Only for the map of the encoder's own
    vectors, as others have theirs when someone asks for them.
    """
    with reading(settings) as session:
        busy = select(Job.id).where(Job.kind.in_(("embed", layouts.KIND)), Job.state.in_(("queued", "running")))
        if session.scalar(busy.limit(1)):
            return {"maps": 0}
        row = layouts.latest(session)
        if row is None or row.file is None or not layouts.waiting(settings, session, row):
            return {"maps": 0}
    jobs.enqueue(settings, layouts.KIND)
    return {"maps": 1}
