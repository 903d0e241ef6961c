"""The words of a question that checks a measured feature, in the language of the page: Attune wrote them, not an owner.

What an owner changed of them stays as it was written, as every other question does. Of a question about an object it
may keep the frame: after a first change, only what names the object itself is still ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from flask_babel import gettext

from attune.labeler.measured import checks
from attune.labeler.records.schema import Attribute
from attune.models.measured.eye_checks import CHECKS
from attune.models.measured.measures import OBJECT_CLASSES
from attune.models.measured.objects import FITS, MEANS, SHOWS, short_name

_ASKED = {asks: re.compile(re.escape(asks).replace(re.escape("%(phrase)s"), "(.+)")) for asks in (SHOWS, FITS)}


def sentences() -> list[str]:
    """All that such questions say in words: what a catalog has to hold."""
    said = [words for one in CHECKS.values() for words in (one.question, one.definition, *one.classes)]
    every = [*said, SHOWS, FITS, MEANS, *OBJECT_CLASSES]
    return [words for words in dict.fromkeys(every) if re.search("[A-Za-z]", words)]


def translator(attribute: Attribute) -> Callable[[str], str]:
    """What says a text of the question ``attribute`` in the language of the page; as it stands where an owner wrote
    it."""
    check = checks.checked_by(attribute)
    if check is None:
        return str
    return partial(_of_object, check.feature, attribute.revision == 1) if check.guessed else _said


def _of_object(name: str, untouched: bool, text: str) -> str:
    for asks, pattern in _ASKED.items():
        if (found := pattern.fullmatch(text)) is not None:
            phrase = found.group(1)
            return str(gettext(asks, phrase=phrase)) if untouched or short_name(phrase) == name else text
    return _said(text)


def _said(text: str) -> str:
    return str(gettext(text)) if text else ""
