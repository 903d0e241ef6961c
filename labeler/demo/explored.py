"""What the demo makes while its newcomer looks around: looks to compare by, clusters with words, a map of the pool."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, descriptions, spaces

# In this order, one after the other: the words are those of the newest clusters.
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    (clusterings.KIND, {"who": "demo"}),
    (layouts.KIND, {"who": "demo"}),
    (descriptions.KIND, {}),
    ("layers", {"names": [spaces.COLOUR]}),
    ("layers", {"names": []}),
)


def begin(settings: Settings) -> None:
    """Ask the workers for all of it, once a workspace; nothing waits for them."""
    with reading(settings) as session:
        if session.scalar(select(Job.id).where(Job.kind == clusterings.KIND).limit(1)):
            return
    for kind, arguments in ASKED:
        jobs.enqueue(settings, kind, **arguments)
