"""One answer, two answers: counts with their nouns."""

from __future__ import annotations

import re

_SINGLE = re.compile(r"\b(there are )?1 (audit answer|answer|image)s\b(?: (have|are)\b)?")
_VERBS = {"have": " has", "are": " is", None: ""}


def number(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def counted(count: int, noun: str) -> str:
    """``count`` with thin spaces between thousands, and ``noun`` in its number."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def singular(reason: str) -> str:
    """Why a figure is not known, with its verb and noun in the singular where it counts one."""
    return _SINGLE.sub(
        lambda found: f"{'there is ' if found[1] else ''}1 {found[2]}{_VERBS[found[3]]}",
        reason,
    )
