"""Bring Label Studio's side of the queues back to what it must be, after addresses, secrets or people changed it."""

from __future__ import annotations

import logging

from sqlalchemy import select, update

from attune.labeler.answers import hints
from attune.labeler.label_studio import LabelStudio, projects, tasks
from attune.labeler.label_studio.projects import Project
from attune.labeler.queues import grids
from attune.labeler.records.schema import Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused

log = logging.getLogger("attune.mending")


def repair_all(settings: Settings, ls: LabelStudio) -> int:
    """Repair webhook, view and image addresses of every open queue; how many needed it.

    Images are only marked here, and signed again by the next sync. A project that is gone is logged and left to
    `attune sync`. Raises LabelStudioUnreachable.
    """
    with reading(settings) as session:
        queues = list(session.scalars(select(Queue).where(Queue.closed_at.is_(None)).order_by(Queue.id)))
    mended = 0
    for queue in queues:
        try:
            mended += repair_queue(settings, ls, queue)
        except LabelStudioRefused as error:
            log.error("queue %d (project %d) was not mended: %s", queue.id, queue.project, error)
    with reading(settings) as session:
        pages = grids.current(session)
    for grid in pages:
        try:
            mended += grids.repair_grid(settings, ls, grid)
        except LabelStudioRefused as error:
            log.error("the pages of project %d were not mended: %s", grid.project, error)
    return mended


def repair_queue(settings: Settings, ls: LabelStudio, queue: Queue) -> bool:
    """Repair one queue; whether anything was wrong. Raises LabelStudioRefused where its project is gone."""
    before = Project(queue.project, queue.view, queue.webhook)
    secret = load_secrets(settings.secrets).hint_secret
    address = hints.address(settings, hints.QUEUE, queue.attribute_id, queue.expert_id)
    after = projects.repair(ls, before, address, secret)
    moved = not _shows_images_of(settings, ls, queue)
    if after == before and not moved:
        return False
    with writing(settings) as session:
        row = session.get_one(Queue, queue.id)
        row.view, row.webhook = after.view, after.webhook
        if moved:
            signed = update(Task).where(Task.queue_id == queue.id, Task.state == "open")
            session.execute(signed.values(signed_until=now()))
    log.warning("queue %d (project %d) was mended", queue.id, queue.project)
    return True


def _shows_images_of(settings: Settings, ls: LabelStudio, queue: Queue) -> bool:
    """Whether an open task, where there is one, shows its image from the web app's present address."""
    for row in tasks.listed(ls, queue.project, tasks.is_open()):
        return str(row["data"].get("image", "")).startswith(f"{settings.web_address}/")
    return True
