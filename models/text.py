"""Counts with their nouns: ``plural`` for a terminal, with commas; ``counted`` for pages, with narrow spaces."""

from __future__ import annotations

import re
import unicodedata

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))(?<!\d{4},)")
UNSEEN = {"Cc", "Cf", "Zl", "Zp"}  # controls, signs that turn the direction of a line, and other ends of a line
JOINERS = "\u200c\u200d"  # ZWNJ and ZWJ, which part and join letters
_SINGULAR = {"have": "has", "are": "is", "wait": "waits"}


def plural(count: int, noun: str, verb: str = "") -> str:
    """``count`` and ``noun`` in its number, and ``verb`` (given in the plural: have, are, wait) in the same, if any."""
    words = [f"{count:,}", _noun(count, noun)]
    if verb:
        words.append(_SINGULAR[verb] if count == 1 else verb)
    return " ".join(words)


def there_are(count: int, noun: str) -> str:
    """``there is 1 answer``, ``there are 2 answers``."""
    return f"there {'is' if count == 1 else 'are'} {plural(count, noun)}"


def number(value: int) -> str:
    """A count with narrow spaces between thousands: not for a terminal, which may lack that character."""
    return f"{value:,}".replace(",", "\u202f")


def spaced(text: str) -> str:
    """``text`` that was written for a terminal too, with its counts as ``number`` writes them."""
    return THOUSANDS.sub("\u202f", text)


def counted(count: int, noun: str) -> str:
    """``count`` as ``number`` writes it, and ``noun`` in its number."""
    return f"{number(count)} {_noun(count, noun)}"


def _noun(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def without_controls(text: str, but: str = "") -> str:
    """``text`` with each control character replaced, which a terminal would obey; those in ``but`` stay.

    JOINERS stay too: words of Persian and of India's languages are written with them, and no terminal obeys them.
    """
    but += JOINERS
    if text.isprintable():
        return text
    return "".join(sign if sign in but or unicodedata.category(sign) not in UNSEEN else "\ufffd" for sign in text)
