"""One answer, two answers."""

from __future__ import annotations

import pytest

from labeler.views.words import counted, singular


def test_a_count_goes_with_its_noun() -> None:
    assert [counted(n, "answer") for n in (0, 1, 2, 1200)] == [
        "0 answers",
        "1 answer",
        "2 answers",
        "1\u202f200 answers",
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("1 images have two experts' answers, at least 10", "1 image has two experts' answers, at least 10"),
        ("there are 1 audit answers, at least 10 are needed", "there is 1 audit answer, at least 10 are needed"),
        ("1 answers for and 21 answers against it", "1 answer for and 21 answers against it"),
        ("21 images have a majority", "21 images have a majority"),
    ],
)
def test_a_reason_that_counts_one_is_in_the_singular(reason: str, said: str) -> None:
    assert singular(reason) == said
