"""The labelling page: the question with its keys and what counts, before the first image is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.label_studio.labeling_config import with_keys
from attune.labeler.labelling import own_queue
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.settings.workspace_id import workspace_id
from attune.labeler.views import check_words
from attune.labeler.views.attribute_page import Example, examples
from attune.labeler.views.links import queue_url

# An end stands before a capital letter (or nothing), and behind neither an initial, a number nor an abbreviation.
SENTENCE_END = re.compile(r"(?P<word>[^\s(\"“„«]*?)[.!?…]+[\"”’»)]*(?=\s+[\"“„«(]*(?P<next>\S)|$)|[。！？]")
ENGLISH = "mr mrs ms dr prof st vs etc incl excl approx no fig e.g i.e ca cf max min"
GERMAN = "bzw usw evtl ggf inkl exkl z.b d.h u.a o.ä vgl nr hr fr sog bspw abb"
ABBREVIATIONS = frozenset(f"{ENGLISH} {GERMAN}".split())


@dataclass(frozen=True)
class Choice:
    """A class (or unsure) with its key; ``text`` is what it is called in the language of a labelling page."""

    value: str
    key: str
    text: str = ""


@dataclass(frozen=True)
class LabellingPage:
    """What the page shows besides images."""

    name: str
    question: str
    definition: str
    revision: int
    choices: Sequence[Choice]
    in_scope: Sequence[Example]
    out_of_scope: Sequence[Example]
    label_studio: str
    workspace: str  # `workspace_id`

    @property
    def short(self) -> str:
        """The definition's first sentence, as it stands in one line above the images; empty without a definition."""
        return first_sentence(self.definition)


def labelling_page(settings: Settings, viewer: Viewer, name: str) -> LabellingPage:
    """The viewer's own labelling page for the attribute ``name``. Raises UnknownAttribute, AccessError."""
    with reading(settings) as session:
        one, queue, _ = own_queue.find(session, viewer, name)
        said = check_words.translator(one)
        return LabellingPage(
            name=one.name,
            question=said(one.question),
            definition=said(one.definition),
            revision=one.revision,
            choices=[Choice(value, key, said(value)) for value, key in with_keys(one.classes)],
            in_scope=examples(session, one.in_scope),
            out_of_scope=examples(session, one.out_of_scope),
            label_studio=queue_url(settings, queue),
            workspace=workspace_id(settings),
        )


def first_sentence(text: str) -> str:
    """``text`` up to the first full stop, question mark or exclamation mark that ends a word; all where none does.

    >>> first_sentence("The main face looks serious (1.5 m away). Several faces: the largest one.")
    'The main face looks serious (1.5 m away).'
    """
    line = " ".join(text.split())
    return next((line[: end.end()] for end in SENTENCE_END.finditer(line) if _ends(end)), line)


def _ends(end: re.Match[str]) -> bool:
    word, after = end["word"], end["next"]
    if word is None or after is None:  # a full stop of Chinese or Japanese, or the last one
        return True
    if after.islower():
        return False
    dotted = end[0].rstrip('"”’»)').endswith(".")
    short = len(word) == 1 or word.isdecimal() or word.lower() in ABBREVIATIONS
    return not (dotted and word and short)
