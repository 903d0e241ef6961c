"""Paths as people write them: the home folder at their head, and bytes that are no text."""

from __future__ import annotations

import os
from pathlib import Path

HOME = "~/"


def at_home(text: str) -> str:
    """``text`` with ``~/`` at its head replaced by the home folder, as a shell has done in a command already.

    Any other name that begins with a tilde is a file's: office programs and editors write ``~poster.png`` beside
    ``poster.png``, and `Path.expanduser` would take it for the home folder of a user called poster.png.
    """
    if text != HOME[0] and not text.startswith(HOME):
        return text
    try:
        return str(Path.home() / text[len(HOME) :])
    except RuntimeError:  # a user without a home folder, as in a container
        return text


def printable(name: object) -> str:
    """A path as any terminal, file and database takes it: bytes that are no UTF-8 are written as ``\\xff``."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")
