"""Open an old answer again: the image's signed address may have run out, so it is renewed on the way."""

from __future__ import annotations

import logging

from attune.labeler.assets.media import media_url
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.queue_tasks import refresh_images
from attune.labeler.records.schema import Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings, secrets
from attune.labeler.views.recent import correction
from attune.labeler.views.viewer import Viewer
from attune.models.clock import now
from attune.models.errors import LabelStudioError

log = logging.getLogger("attune.web")


def open_again(settings: Settings, viewer: Viewer, attribute: str, annotation_id: int) -> str | None:
    """The address in Label Studio of the viewer's own answer on ``attribute``; None where it is not theirs or gone.

    Label Studio not answering does not stop it: its page then says so by itself.
    """
    with reading(settings) as session:
        found = correction(session, settings, viewer, attribute, annotation_id)
    if found is None:
        return None
    address, until = media_url(settings, secrets.load(settings.secrets), found.asset_id, now())
    try:
        renewed = refresh_images(LabelStudio.connect(settings), found.project, {found.address: address})
    except LabelStudioError as error:
        log.warning("image of task %d not renewed: %s", found.address.task, error)
        return found.url
    if not renewed:  # gone, or the id is another task's: nobody may correct that one by mistake
        return None
    with writing(settings) as session:
        session.get_one(Task, found.task).signed_until = until
    return found.url
