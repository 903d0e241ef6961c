"""Addresses in Label Studio that the console sends an expert to."""

from __future__ import annotations

from attune.labeler.records.schema import Queue
from attune.labeler.settings import Settings


def queue_url(settings: Settings, queue: Queue) -> str:
    """Where the expert answers, in the queue's own order."""
    from attune.labeler.label_studio.projects import labelling_url  # late: the page needs it, the webhook does not

    return labelling_url(settings, queue.project, queue.view)


def task_url(settings: Settings, queue: Queue, label_studio_task: int) -> str:
    """One task of a queue, opened for correction."""
    return (
        f"{settings.label_studio_browser_address}/projects/{queue.project}/data"
        f"?tab={queue.view}&task={label_studio_task}"
    )
