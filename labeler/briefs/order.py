"""In which order a brief tells its lines: the strongest evidence first, and why in plain words."""

from __future__ import annotations

from typing import Any

from attune.labeler.insights.insights import PUBLISHED, Told
from attune.labeler.insights.words import unchecked
from attune.models.text import plural

ORDER = (
    "The strongest evidence comes first: images that were shown at random before others, then features that people "
    "have checked, then what is up to date and published, then the clearest difference."
)
TESTS = "To test what a line says: open its insight in Attune by the number, and press Plan the test."
STRENGTH = {"A": "Strong evidence", "B": "Good evidence", "C": "Weak evidence", "D": "The weakest evidence"}


def strength(one: Told) -> tuple[Any, ...]:
    """What lines are sorted by."""
    return one.newest.grade, bool(unchecked(one)), bool(one.moved), not published(one), one.figures["q"], one.row.id


def published(one: Told) -> bool:
    """Whether somebody stands for what an insight says."""
    return one.row.state == PUBLISHED and one.row.published == one.newest.version


def why(one: Told, reason: str) -> str:
    """Why a line stands where it does; ``reason`` of its grade, in words."""
    titles = one.figures.get("titles")
    of = f", from {plural(titles, 'title')}" if titles else ""
    return f"{STRENGTH[one.newest.grade]}{of}. {reason}"
