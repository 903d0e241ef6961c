"""One annotation as Label Studio shows it, read into plain values; what cannot be read is said, not dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from attune.labeler.assets.media import asset_shown
from attune.labeler.label_studio.labeling_config import SKIP, UNSURE, choices_of
from attune.labeler.label_studio.task_address import key_of
from attune.models.clock import parse
from attune.models.errors import UnknownAnnotationShape
from attune.models.text import without_controls

# Why an annotation is not counted.
EMPTY, UNREADABLE, UNKNOWN_CLASS = "no answer", "not one choice", "unknown class"
OTHER_IMAGE = "another image"
WORDS = 255  # characters kept of what an annotation says


@dataclass(frozen=True)
class ReadAnnotation:
    """An annotation as Label Studio showed it, once. ``wrong`` says why it cannot be read, and is empty otherwise."""

    label_studio_id: int
    label_studio_task: int
    asset_id: str
    value: str  # a class, "unsure" or "skip"
    completed_by: int | None
    answered_at: datetime
    updated_at: datetime
    lead_seconds: float | None
    edited_by: int | None = None  # who changed it last, where that is someone else than its author
    key: str = ""  # of the task, where Label Studio has it
    author: str = ""  # the address of who gave it, where Label Studio says it
    wrong: str = ""
    first_seconds: float | None = None  # of ``lead_seconds`` those of the first look, where they are told apart


def read(
    annotation: Mapping[str, Any],
    task: int,
    data: Mapping[str, Any],
    classes: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    people: Mapping[int, str] | None = None,
) -> ReadAnnotation:
    """A ``ReadAnnotation`` from Label Studio's JSON of one annotation and the ``data`` of its task.

    ``renamed`` says how classes that are only called so in Label Studio are read, ``people`` the addresses of its users
    by id, where it was asked for them. Raises UnknownAnnotationShape where the annotation has no id or no times.
    """
    try:
        number, email = _author(annotation, people)
        seconds = annotation.get("lead_time")
        value, wrong = _value(annotation, classes, renamed or {})
        asset_id = clean(data.get("asset_id"))
        editor = annotation.get("updated_by")
        asset_token = asset_shown(str(data.get("image") or ""))
        return ReadAnnotation(
            label_studio_id=int(annotation["id"]),
            label_studio_task=task,
            asset_id=asset_id,
            value=value,
            completed_by=number,
            answered_at=moment(annotation["created_at"]),
            updated_at=moment(annotation["updated_at"]),
            lead_seconds=None if seconds is None else float(seconds),
            edited_by=int(editor) if isinstance(editor, int) and editor != number else None,
            key=key_of(data),
            author=email,
            # The expert judged what was on the screen, whatever the task is called.
            wrong=OTHER_IMAGE if asset_token is not None and asset_token != asset_id else wrong,
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UnknownAnnotationShape(
            f"Annotation {annotation.get('id')!r} has no usable {error}. Expected id, result, created_at and "
            "updated_at, as Label Studio 1.23 sends them."
        ) from error


def _author(annotation: Mapping[str, Any], people: Mapping[int, str] | None) -> tuple[int | None, str]:
    """The user's id, and the address in lower case; None and empty where they are not known."""
    author = annotation.get("completed_by")
    number = author.get("id") if isinstance(author, Mapping) else author
    if number is None:
        return None, ""
    # Not `people or {}`: addresses that are asked for one by one begin as an empty dictionary.
    address = people.get(int(number)) if people is not None else None
    return int(number), str(address or "").casefold()


def _value(annotation: Mapping[str, Any], classes: Sequence[str], renamed: Mapping[str, str]) -> tuple[str, str]:
    """What an annotation says, and why it cannot be read, or an empty string."""
    if annotation.get("was_cancelled"):
        return SKIP, ""
    choices = choices_of(annotation)
    if len(choices) != 1:
        words = _words(", ".join(choices) if choices else annotation.get("result") or "")
        return words[:WORDS], UNREADABLE if words else EMPTY
    choice = choices[0]
    value = choice if choice == UNSURE or choice in classes else renamed.get(choice, choice)
    is_known = value == UNSURE or value in classes
    return _words(value)[:WORDS], "" if is_known else UNKNOWN_CLASS


def _words(value: Any) -> str:
    """What someone said, on one line and without what a terminal would obey."""
    return without_controls(clean(value))


def clean(value: Any) -> str:
    """``value`` as a text that every database takes: without half characters and zero bytes, which no name has."""
    text = "" if value is None else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def moment(value: Any) -> datetime:
    """A time of Label Studio's as an aware datetime. Raises ValueError."""
    return value if isinstance(value, datetime) else parse(str(value))
