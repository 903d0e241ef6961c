"""Moments as text: what is written reads back as the same moment, whatever the year and the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from attune.models.clock import iso, parse

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS)
def test_a_moment_reads_back_as_it_was_written(moment: datetime) -> None:
    text = iso(moment)
    assert parse(text) == moment
    assert len(text) == len("2026-03-04T05:06:07.000008Z")


def test_an_early_year_keeps_its_four_digits() -> None:
    assert iso(datetime(910, 7, 18, tzinfo=UTC)) == "0910-07-18T00:00:00.000000Z"
