"""A search for names finds both cases of letters and takes what LIKE reads as a pattern as it is."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, literal, select
from sqlalchemy.dialects import postgresql

from attune.labeler.records.contained import is_contained

NAMES = ("Heat", "100% Wolf", "a_b", "a/b", "Été", "title-77")


@pytest.mark.parametrize(
    ("text", "found"),
    [("HEAT", "Heat"), ("%", "100% Wolf"), ("a_", "a_b"), ("A/", "a/b"), ("té", "Été"), ("Title-7", "title-77")],
)
def test_the_name_that_holds_the_text_is_found_and_no_other(text: str, found: str) -> None:
    with create_engine("sqlite://").connect() as connection:
        held = [name for name in NAMES if connection.scalar(select(is_contained(text, literal(name))))]
    assert held == [found]


def test_postgresql_whose_like_tells_cases_apart_lowers_both() -> None:
    said = str(select(is_contained("Heat", literal("heat"))).compile(dialect=postgresql.dialect()))
    assert said.count("lower(") == 2
