"""Words that a newcomer does not know, explained where they stand first on a page; the texts are the glossary's.

A test holds them against docs/glossary.md.
"""

from __future__ import annotations

from flask import Flask, g
from markupsafe import Markup

WORDS = {
    "audit": (
        "The measurement of a probe with answers on images that were drawn at random and that no probe is trained on."
    ),
    "calibration": (
        "The step that makes probabilities match reality: of all images with probability 0.8, about 80 % are positive."
    ),
    "champion": "The published version that pipelines get by default. An owner moves it by promoting another version.",
    "gate": "A check before a version is put into use, for example: at least 30 audit answers.",
    "probe": (
        "The classifier that Attune trains from the experts' answers. It gives each image a probability of each class."
    ),
    "vector": "The list of numbers that an encoder makes of one image or text.",
    "worker": "A process that does jobs in the background: it trains, embeds and publishes.",
}


def word(name: str, shown: str = "") -> Markup:
    """``shown`` (the word itself unless given) as a button that explains the word; plain text where the page did so
    above. Not for use inside a link or a button."""
    text, said = shown or name, _said()
    if name in said:
        return Markup.escape(text)
    said.append(name)
    return Markup('<button type="button" class="word" popovertarget="word-{0}">{1}</button>').format(name, text)


def explained() -> list[tuple[str, str]]:
    """The words that the page has marked, with their texts: the base page puts them at its end."""
    return [(name, WORDS[name]) for name in _said()]


def _said() -> list[str]:
    if "words" not in g:
        g.words = []
    words: list[str] = g.words
    return words


def init_app(app: Flask) -> None:
    """Let templates use ``word`` and ``explained``."""
    app.jinja_env.globals.update(word=word, explained=explained)
