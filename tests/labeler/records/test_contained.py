"""A search for names finds both cases of letters and takes what LIKE reads as a pattern as it is."""

from __future__ import annotations

import pytest
from sqlalchemy import literal, select

from attune.labeler.records.contained import is_contained
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

NAMES = ("Heat", "100% Wolf", "a_b", "a/b", "Été", "title-77")


@pytest.mark.parametrize(
    ("text", "found"),
    [("HEAT", "Heat"), ("%", "100% Wolf"), ("a_", "a_b"), ("A/", "a/b"), ("té", "Été"), ("Title-7", "title-77")],
)
def test_the_name_that_holds_the_text_is_found_and_no_other(settings: Settings, text: str, found: str) -> None:
    with reading(settings) as session:
        held = [name for name in NAMES if session.scalar(select(is_contained(text, literal(name))))]
    assert held == [found]
