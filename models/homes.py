"""The home folder in a path that came from a file or a setting; a shell has replaced it in a command already."""

from __future__ import annotations

from pathlib import Path

HOME = "~/"


def at_home(text: str) -> str:
    """``text`` with ``~/`` at its head replaced by the home folder.

    Any other name that begins with a tilde is a file's: office programs and editors write ``~poster.png`` beside
    ``poster.png``, and `Path.expanduser` would take it for the home folder of a user called poster.png.
    """
    if text != HOME[0] and not text.startswith(HOME):
        return text
    try:
        return str(Path.home() / text[len(HOME) :])
    except RuntimeError:  # a user without a home folder, as in a container
        return text
