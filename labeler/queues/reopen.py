"""Open an old answer again: the image's signed address may have run out, so it is renewed on the way."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import task_ids
from attune.labeler.assets.media import media_url
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.queue_tasks import refresh_images
from attune.labeler.label_studio.task_address import Address
from attune.labeler.people.viewer import Viewer, may_see
from attune.labeler.records.schema import Annotation, Asset, Attribute, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioError

log = logging.getLogger("attune.web")


@dataclass(frozen=True)
class Correction:
    """Where an answer is corrected: ids in the records (``task``) and in Label Studio (``project``, its task)."""

    url: str
    task: int
    project: int
    address: Address
    asset_id: str


def open_again(settings: Settings, viewer: Viewer, attribute: str, annotation_id: int) -> str | None:
    """The address in Label Studio of the viewer's own answer on ``attribute``; None where it is not theirs or gone.

    Label Studio not answering does not stop it: its page then says so by itself.
    """
    with reading(settings) as session:
        correction = _correction(session, settings, viewer, attribute, annotation_id)
    if correction is None:
        return None
    address, until = media_url(settings, secrets.load(settings.secrets), correction.asset_id, now())
    try:
        renewed = refresh_images(LabelStudio.connect(settings), correction.project, {correction.address: address})
    except LabelStudioError as error:
        log.warning("image of task %d not renewed: %s", correction.address.task, error)
        return correction.url
    if not renewed:  # gone, or the id is another task's: no one may correct that one by mistake
        return None
    with writing(settings) as session:
        session.get_one(Task, correction.task).signed_until = until
    return correction.url


def _correction(
    session: Session, settings: Settings, viewer: Viewer, attribute: str, annotation_id: int
) -> Correction | None:
    """Where the viewer's own answer is corrected; None where it is not one's own, was deleted, or whose question is
    gone from Label Studio.
    """
    row = session.execute(
        select(Queue, Task, Asset)
        .join(Task, Task.queue_id == Queue.id)
        .join(Annotation, Annotation.task_id == Task.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Attribute, Attribute.id == Annotation.attribute_id)
        .where(
            Annotation.id == annotation_id,
            Annotation.expert_id == viewer.expert_id,
            Annotation.deleted_at.is_(None),
            Attribute.name == attribute,
            may_see(viewer),
        )
    ).first()
    if row is None:
        return None
    queue, task, asset = row
    address = task_ids.task_address(task, asset.asset_id)
    if address is None:
        return None
    return Correction(_task_url(settings, queue, address.task), task.id, queue.project, address, asset.asset_id)


def _task_url(settings: Settings, queue: Queue, label_studio_task: int) -> str:
    """One task of a queue, opened for correction."""
    return (
        f"{settings.label_studio_browser_address}/projects/{queue.project}/data"
        f"?tab={queue.view}&task={label_studio_task}"
    )
