"""A cell of several values is split in one way, for descriptions, for the taste space and for its index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.files.cell_values import values_of
from attune.models.similarity.label_values import multi_hot


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("drama|comedy", ("drama", "comedy")),
        ("drama; comedy , drama", ("drama", "comedy")),
        (["drama, comedy", " noir ", None, {"a": 1}], ("drama, comedy", "noir")),
        ("1,5", ("1,5",)),
        ("1,000 and more,2", ("1,000 and more", "2")),
        ("noir,1950", ("noir", "1950")),
        (7, ("7",)),
        (None, ()),
        (" | ,", ()),
    ],
)
def test_values_are_what_separators_leave(cell: Any, values: tuple[str, ...]) -> None:
    assert values_of(cell) == values


@given(
    st.lists(st.text("abc ", min_size=1).map(str.strip).filter(bool), max_size=6),
    st.sampled_from(["|", ";", ",", " , "]),
)
def test_a_list_and_its_text_are_the_same(values: list[str], between: str) -> None:
    assert values_of(between.join(values)) == values_of(values) == tuple(dict.fromkeys(values))


def test_labels_of_either_form_are_one_label() -> None:
    labels, names = multi_hot([["drama", "noir"]] * 5 + ["drama; noir"] * 5)
    assert names == ("drama", "noir")
    assert np.array_equal(labels, np.ones((10, 2)))
