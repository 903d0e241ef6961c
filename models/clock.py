"""The one clock of the project: aware UTC datetimes that a test can set."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Real
from typing import Any

# A count since 1970 shows its unit by its size: seconds from March 1973 to the year 5138, and so on by the thousand.
_EPOCH = re.compile(r"\d{9,20}(\.\d*)?|\d(\.\d*)?[eE]\+?\d{1,2}")  # spreadsheets write 1.7E+12
_UNITS = ((1e8, 1e11, 1), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))


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


def moment(value: Any) -> datetime | None:
    """The aware UTC datetime in a table's cell: a time, ISO 8601, or seconds (milli-, micro-, nanoseconds) since 1970.

    None for an empty cell. Raises ValueError where it is no time.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if isinstance(value, str):
        text = value.strip()
        return None if not text else _counted(float(text)) if _EPOCH.fullmatch(text) else parse(text)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise ValueError(f"{value!r} is not a time. Give one such as 2026-11-27T14:05:00Z.")
    number = float(value)
    if math.isnan(number):
        return None
    return parse(str(int(number))) if 19_000_101 <= number < 1e8 else _counted(number)


def _counted(number: float) -> datetime:
    for least, most, unit in _UNITS:
        if least <= number < most:
            return datetime.fromtimestamp(number / unit, UTC)
    raise ValueError(f"{number} is not a time: it is outside the range of dates.")
