"""One answer, two answers."""

from __future__ import annotations

from attune.labeler.views.words import counted


def test_a_count_goes_with_its_noun() -> None:
    assert [counted(n, "answer") for n in (0, 1, 2, 1200)] == [
        "0 answers",
        "1 answer",
        "2 answers",
        "1\u202f200 answers",
    ]
