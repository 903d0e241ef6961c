"""Whether the labelling page can be used: the Label Studio behind it must run with Attune's modules."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from attune.labeler.label_studio import door
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import LabelStudioError

log = logging.getLogger("attune.web")
REMEMBERED = timedelta(minutes=5)
_answers: dict[str, tuple[datetime, bool]] = {}


def is_available(settings: Settings) -> bool:
    """Whether answers can be stored in an expert's name; asked anew every five minutes.

    True where Label Studio does not answer: our own always has the modules, and the page says that it waits.
    """
    if not settings.label_studio_url:
        return True  # the one that `attune up` starts
    known = _answers.get(settings.label_studio_address)
    if known is not None and abs(now() - known[0]) < REMEMBERED:
        return known[1]
    try:
        with LabelStudio.connect(settings) as ls:
            found = door.is_guarded(ls)
    except LabelStudioError as error:
        log.warning("Label Studio's modules are not known: %s", error)
        return True
    _answers[settings.label_studio_address] = (now(), found)
    return found
