"""The line above the images says what counts in one sentence."""

from __future__ import annotations

import pytest

from attune.labeler.views.labelling import first_sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The main face looks serious. If there are several, the largest decides.", "The main face looks serious."),
        ("A film by A. Varda counts (e.g. at 1.5 m). Others do not.", "A film by A. Varda counts (e.g. at 1.5 m)."),
        ("Mr. and Mrs. Bean count. Others do not.", "Mr. and Mrs. Bean count."),
        ("Mrs. Bean counts. Others do not.", "Mrs. Bean counts."),
        ("Faces count, incl. drawn ones. Masks do not.", "Faces count, incl. drawn ones."),
        ("Gesichter bzw. Masken zählen (z. B. Clowns). Puppen nicht.", "Gesichter bzw. Masken zählen (z. B. Clowns)."),
        ("In the 1. Row they sit. Others do not.", "In the 1. Row they sit."),
        ("“It is dusk.” Night does not count.", "“It is dusk.”"),
        ("Is it dusk? Then it counts.", "Is it dusk?"),
        ("Two lines\nof one sentence", "Two lines of one sentence"),
        ("主な顔が真剣。ほかは数えない。", "主な顔が真剣。"),
        ("", ""),
    ],
)
def test_the_first_sentence_ends_where_a_reader_would_end_it(text: str, said: str) -> None:
    assert first_sentence(text) == said
