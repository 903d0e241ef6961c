"""The labelling page of an attribute: its XML, and reading and writing the answers that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from attune.models.errors import DataError, UnknownAnnotationShape

CONTROL, IMAGE = "label", "image"
UNSURE, SKIP = "unsure", "skip"
# Label Studio's own order of automatic hotkeys, without the keys that its image tools take.
HOTKEYS = "123456789qwetasdfgzxcvbyiopjklnm"
UNSURE_HOTKEY = "0"


def labelling_config(question: str, classes: Sequence[str]) -> str:
    """Label Studio's XML for ``question``: the choices above the image, hotkeys 1, 2, 3 … and 0 for unsure.

    Raises DataError where the classes cannot be choices: fewer than two, more than there are keys, doubled, empty,
    longer than 80 characters, or named unsure or skip, which are answers and not classes.
    """
    check_classes(classes)
    choices = "".join(f"<Choice value={quoteattr(name)} hotkey={quoteattr(key)}/>" for name, key in with_keys(classes))
    # The editor replaces $name in a header by the task's data, which a question never means.
    header = quoteattr(question.replace("$", "＄"))
    return (
        f"<View><Header value={header}/>"
        f'<Choices name="{CONTROL}" toName="{IMAGE}" choice="single" showInline="true" required="true">'
        f"{choices}</Choices>"
        f'<Image name="{IMAGE}" value="${IMAGE}" maxHeight="560px" maxWidth="760px" '
        'zoom="false" zoomControl="false" rotateControl="false"/></View>'
    )


def with_keys(classes: Sequence[str]) -> list[tuple[str, str]]:
    """Each class, then unsure, with its key."""
    return list(zip([*classes, UNSURE], [*HOTKEYS[: len(classes)], UNSURE_HOTKEY], strict=True))


def check_classes(classes: Sequence[str]) -> None:
    """Raise DataError where ``classes`` cannot be the choices of a labelling page."""
    if not 2 <= len(classes) <= len(HOTKEYS):
        raise DataError(
            f"The question has {len(classes)} classes. Expected 2 to {len(HOTKEYS)}, one key each, such as "
            "--classes romance,friendship,neither."
        )
    if len(set(classes)) < len(classes):
        raise DataError(f"{list(classes)} has a class twice. Give each class once.")
    for name in classes:
        if name in {UNSURE, SKIP}:
            raise DataError(f"{name!r} cannot be a class: it is an answer of every question. Use another name.")
        if not name.strip() or name != name.strip() or len(name) > 80 or name.startswith("$") or not name.isprintable():
            raise DataError(
                f"{name!r} cannot be a class. A class has 1 to 80 printable characters, without spaces around "
                "it and without $ at the start."
            )


def read_value(annotation: Mapping[str, Any], classes: Sequence[str]) -> str:
    """What an annotation says: one of ``classes``, ``unsure``, or ``skip`` for a cancelled one.

    Raises UnknownAnnotationShape where it holds anything else than one choice of our control.
    """
    if annotation.get("was_cancelled"):
        return SKIP
    found = choices_of(annotation)
    if len(found) != 1 or (found[0] != UNSURE and found[0] not in classes):
        raise UnknownAnnotationShape(
            f"Annotation {annotation.get('id')} contains {str(annotation.get('result'))[:200]}. Expected one "
            f"choice of {[*classes, UNSURE]} in the control {CONTROL!r}. Was the project or the answer edited "
            "by hand in Label Studio?"
        )
    return found[0]


def choices_of(annotation: Mapping[str, Any]) -> list[str]:
    """The choices in our control of an annotation, whatever they are; none where there is nothing that can be read."""
    try:
        given = [item for item in annotation.get("result") or () if item["from_name"] == CONTROL]
        return [str(name) for item in given for name in item["value"]["choices"]]
    except (KeyError, TypeError, AttributeError):
        return []


def write_result(value: str) -> list[dict[str, Any]]:
    """The result list that the page makes for ``value``: a class or ``unsure``; ``skip`` has none."""
    if value == SKIP:
        return []
    return [{"from_name": CONTROL, "to_name": IMAGE, "type": "choices", "value": {"choices": [value]}}]
