"""The page of settings: the table in labeler/settings, with what each one takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from attune.labeler.settings.table import Settings, variable
from tests.project.reference.markdown import code, table

INTRODUCTION = """# Settings

Each setting is an environment variable. Attune takes the first value that it finds:

1. the command's option, such as `--workspace`;
2. the environment variable;
3. `settings.json` in the workspace, where Attune itself keeps the encoder and the ports;
4. the default.

`attune config show` lists every setting, its value and where the value comes from. An `ATTUNE_` variable that does
not exist is an error that names the nearest one. Values of *secret* settings are never shown. Restart `attune up`
after a change.
"""
# Texts that few kinds of settings take: a reader that refuses one says what it takes.
REFUSED = ("-1", "\u0000 :")


def page() -> str:
    """The whole page."""
    rows = [
        [
            code(variable(one.name)) + (" (secret)" if one.metadata["secret"] else ""),
            one.metadata["about"],
            takes(one.metadata["read"]),
            default(one.default),
        ]
        for one in fields(Settings)
    ]
    return INTRODUCTION + "\n" + table(["variable", "meaning", "takes", "default"], rows)


def takes(read: Callable[[str], Any]) -> str:
    """What a setting's reader says that it takes."""
    for text in REFUSED:
        try:
            value = read(text)
        except ValueError as error:
            return str(error)
    return "a path" if isinstance(value, Path) else "a text"


def default(value: Any) -> str:
    """A default as one would type it."""
    if value is None or value == "":
        return ""
    return code({True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value))
