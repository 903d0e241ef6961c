"""The one clock of the project: aware UTC datetimes that a test can set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The current time, an aware datetime in UTC."""
    return _source()


@contextmanager
def set_clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock inside a ``with`` block; ``source`` returns aware datetimes."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def iso(moment: datetime) -> str:
    """ISO 8601 with microseconds and a trailing Z, as Label Studio and the manifests write it."""
    # Not strftime: it writes the years before 1000 in three digits.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware UTC datetime of an ISO 8601 text; one without an offset is taken as UTC.

    Raises ValueError where the text is not ISO 8601.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
