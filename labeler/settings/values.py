"""How the text of a variable becomes a value; a ValueError says what the variable takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from models.paths import at_home


def path(text: str) -> Path:
    """An absolute path; ``~/`` at its head is the home folder."""
    return Path(at_home(text)).absolute()


def flag(text: str) -> bool:
    """Yes or no."""
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("yes or no (also 1/0, true/false, on/off)")


def port(text: str) -> int:
    """A port."""
    value = whole(text)
    if not 1 <= value <= 65535:
        raise ValueError("a port from 1 to 65535")
    return value


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def count(text: str) -> int:
    """A whole number of 0 or more."""
    value = whole(text)
    if value < 0:
        raise ValueError("a whole number of 0 or more")
    return value


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = whole(text)
    if value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def share(text: str) -> float:
    """A share: 0 up to, and without, 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ValueError("a share from 0 up to, and without, 1")
    return value


def url(*schemes: str) -> Callable[[str], str]:
    """A reader of addresses with one of the ``schemes``."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme.split("+")[0] not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"an address such as {schemes[0]}://…")
        return text.rstrip("/")

    return read
