"""One answer, two answers: counts with their nouns."""

from __future__ import annotations


def number(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def counted(count: int, noun: str) -> str:
    """``count`` with thin spaces between thousands, and ``noun`` in its number."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
