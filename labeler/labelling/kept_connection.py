"""The connection to Label Studio over which answers go: to open one takes as long as an answer."""

from __future__ import annotations

import threading

from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.client import token as token_of
from attune.labeler.settings import Settings

_here = threading.local()


def label_studio(settings: Settings) -> LabelStudio:
    """One kept connection for each thread. Raises LabelStudioUnreachable."""
    place = (settings.label_studio_address, token_of(settings))
    held: tuple[tuple[str, str], LabelStudio] | None = getattr(_here, "held", None)
    if held is None or held[0] != place:
        held = (place, LabelStudio.connect(settings))
        _here.held = held
    return held[1]
