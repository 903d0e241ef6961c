"""What was agreed in a thread, added to the question: a sentence of its definition, or the image as an example."""

from __future__ import annotations

from dataclasses import dataclass, replace

from attune.labeler.answers import threads
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.attributes.attributes import Definition
from attune.labeler.attributes.revise_attribute import Effect
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError

DEFINITION, IN_SCOPE, OUT_OF_SCOPE = "definition", "in_scope", "out_of_scope"
PLACES = {DEFINITION: "Add a sentence to the definition", IN_SCOPE: "Show this image as an example that counts",
          OUT_OF_SCOPE: "Show this image as an example that does not count"}  # fmt: skip


@dataclass(frozen=True)
class Addition:
    """What is added, and what it does: ``text`` is a sentence or the image's id, ``before`` the definition of today.

    ``changed``: fields that change, none where the question says it already.
    """

    place: str
    text: str
    before: str
    revision: int
    changed: tuple[str, ...]
    effect: Effect


def preview(settings: Settings, viewer: Viewer, name: str, image: int, place: str, sentence: str) -> Addition:
    """What `add` would do. Raises UnknownAttribute, UnknownAsset as `threads.opened`, DataError as `add`."""
    one, text, definition = _added(settings, viewer, name, image, place, sentence)
    changed, effect = revise_attribute.preview(settings, definition)
    return Addition(place, text, one.definition, one.revision, changed, effect)


def add(
    settings: Settings, viewer: Viewer, name: str, image: int, place: str, sentence: str, expected_revision: int
) -> int:
    """Make the revision and say so in the thread; its number.

    Raises UnknownAttribute, UnknownAsset as `threads.opened`, DataError for an unknown place, an empty or long
    sentence, or where nothing changes, and AlreadyThere where someone made a revision after ``expected_revision``.
    """
    one, text, definition = _added(settings, viewer, name, image, place, sentence)
    reason = f"Agreed in the thread of a disputed image: {text}"
    revised = revise_attribute.revise(settings, definition, reason, expected_revision=expected_revision)
    words = {DEFINITION: text, IN_SCOPE: "This image counts.", OUT_OF_SCOPE: "This image does not count."}
    threads.note_revision(settings, viewer, one.name, image, revised.revision, words[place])
    return revised.revision


def _added(
    settings: Settings, viewer: Viewer, name: str, image: int, place: str, sentence: str
) -> tuple[Attribute, str, Definition]:
    with reading(settings) as session:
        one = attributes.find(session, name)
        asset = threads.opened(session, viewer, one.id, image)
        old = revise_attribute.definition_of(one)
    if place == DEFINITION:
        text = _sentence(sentence)
        return one, text, replace(old, definition=_appended(old.definition, text))
    if place not in PLACES:
        raise DataError("place: choose the definition, or one of the two kinds of examples.")
    given = {key: [text for text in getattr(old, key) if text != asset.asset_id] for key in (IN_SCOPE, OUT_OF_SCOPE)}
    # Where it is one already it keeps its line; an example of both would be one of neither.
    given[place] = (
        list(getattr(old, place)) if asset.asset_id in getattr(old, place) else [*given[place], asset.asset_id]
    )
    return one, asset.asset_id, replace(old, in_scope=given[IN_SCOPE], out_of_scope=given[OUT_OF_SCOPE])


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise DataError("sentence: it is empty. Write what you agreed, in one sentence.")
    if len(words) > threads.LONGEST:
        raise DataError(f"sentence: it has {len(words):,} characters. It can have {threads.LONGEST:,}.")
    return words


def _appended(definition: str, sentence: str) -> str:
    before = definition.rstrip()
    if sentence in before:  # sent twice
        return definition
    if before and before[-1].isalnum():
        before += "."
    return f"{before} {sentence}".strip()
