"""One image has, two images have: counts in the sentences that figures give as their reason."""

from __future__ import annotations

import unicodedata

_SINGULAR = {"have": "has", "are": "is", "wait": "waits"}


def plural(count: int, noun: str, verb: str = "") -> str:
    """``count`` and ``noun`` in its number, and ``verb`` (given in the plural: have, are, wait) in the same, if any."""
    words = [str(count), noun if count == 1 else f"{noun}s"]
    if verb:
        words.append(_SINGULAR[verb] if count == 1 else verb)
    return " ".join(words)


def there_are(count: int, noun: str) -> str:
    """``there is 1 answer``, ``there are 2 answers``."""
    return f"there {'is' if count == 1 else 'are'} {plural(count, noun)}"


def without_controls(text: str, but: str = "") -> str:
    """``text`` with each control character replaced, which a terminal would obey; those in ``but`` stay."""
    if text.isprintable():
        return text
    return "".join(sign if sign in but or unicodedata.category(sign) != "Cc" else "\ufffd" for sign in text)
