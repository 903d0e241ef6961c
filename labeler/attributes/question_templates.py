"""Questions that many ask about images, filled in as far as they are the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class QuestionTemplate:
    """A question to begin with: ``classes`` are pairs of a class and the prompt that describes its images."""

    name: str
    title: str
    question: str
    classes: Sequence[tuple[str, str]]
    definition: str
    in_scope: Sequence[str] = ()
    out_of_scope: Sequence[str] = ()


TEMPLATES: tuple[QuestionTemplate, ...] = (
    QuestionTemplate(
        "serious-expression",
        "Serious expression",
        "Is the expression serious?",
        (("serious", "a person with a serious face"), ("not serious", "a person who smiles or laughs")),
        "The main face looks serious, stern or sad. If there are several faces, the largest one decides.",
        ("a stern look", "a sad face"),
        ("a smile", "no face in the image"),
    ),
    QuestionTemplate(
        "couple",
        "Couple",
        "Are these two people a couple?",
        (("couple", "two people in love"), ("not a couple", "two colleagues or friends side by side")),
        "A stranger would think that the two people love each other. What the film really says does not matter.",
        ("two people who kiss or embrace",),
        ("parent and child", "a group of friends"),
    ),
    QuestionTemplate(
        "text",
        "Text",
        "Is there text in the image?",
        (("text", "an image with large text"), ("no text", "a photo without any text")),
        "Letters or numbers can be read at a normal size. A logo counts if it has letters.",
        ("a title", "a sign in the scene"),
        ("blurred letters that no one can read",),
    ),
    QuestionTemplate(
        "outdoors",
        "Outdoors",
        "Is it outdoors?",
        (("outdoors", "an outdoor scene with sky or landscape"), ("indoors", "a scene inside a room")),
        "The main scene is in the open air. A view through a window is indoors.",
        ("a street", "a forest"),
        ("a room with a large window",),
    ),
    QuestionTemplate(
        "comedy",
        "Comedy",
        "Does it look like comedy?",
        (("comedy", "a funny scene in bright colours"), ("not comedy", "a dark and serious drama")),
        "Somebody who sees the image for the first time expects to laugh. Only the image counts, not the title.",
        ("funny faces", "an absurd situation"),
        ("a friendly smile alone",),
    ),
    QuestionTemplate(
        "night",
        "Night",
        "Is it night?",
        (("night", "a scene at night in the dark"), ("day", "a scene in bright daylight")),
        "The light of the scene is that of the night. Dusk counts if lamps are on.",
        ("a street with lamps on",),
        ("a dark room in daytime",),
    ),
    QuestionTemplate(
        "people",
        "How many people",
        "How many people can you see?",
        (
            ("nobody", "a landscape or object without people"),
            ("one person", "a portrait of one person"),
            ("two people", "two people side by side"),
            ("three or more", "a group of people"),
        ),
        "Count people whose face or body you can recognise. A crowd in the background does not count.",
    ),
)


def find(name: str) -> QuestionTemplate | None:
    """The template of that name, or None."""
    return next((one for one in TEMPLATES if one.name == name), None)
