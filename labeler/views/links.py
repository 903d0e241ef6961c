"""Addresses in Label Studio that the console sends an expert to."""

from __future__ import annotations

from attune.labeler.records.schema import Queue
from attune.labeler.settings import Settings


def queue_url(settings: Settings, queue: Queue) -> str:
    """Where the expert answers, in the queue's own order."""
    from attune.labeler.label_studio.projects import labelling_url  # late: the page needs it, the webhook does not

    return labelling_url(settings, queue.project, queue.view)
