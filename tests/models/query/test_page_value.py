"""A page of images is weighed against single ones by what is taught in a second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.query.page_value import Seconds, TimedPage, best_page, recorded_look, single_worth

SAME = np.full(96, 0.5)
CLEAR, DOUBTFUL, TICKED = np.full(96, 0.02), np.full(96, 0.5), np.full(96, 0.98)


@pytest.mark.parametrize(
    ("p", "seconds", "wins"),
    [
        (CLEAR, Seconds(), True),
        (DOUBTFUL, Seconds(), False),  # each is looked at as long as alone, and seen among others before
        (TICKED, Seconds(), False),
        (CLEAR, Seconds(look=1.8), False),
        (CLEAR, Seconds(single=0.5, mark=0.5), False),  # somebody quick with single images
    ],
)
def test_a_page_wins_where_most_of_its_images_need_only_a_look(p: np.ndarray, seconds: Seconds, wins: bool) -> None:
    assert (best_page(SAME, p, 24, seconds).worth > single_worth(SAME, seconds)) is wins


def test_a_page_has_what_teaches_most_a_second() -> None:
    value = np.array([1.0, 0.9, 0.5, 0.1])
    p = np.array([0.5, 0.01, 0.01, 0.01])
    assert best_page(value, p, 2, Seconds()).places.tolist() == [1, 2], "the most valuable one takes too long"


def test_where_no_tick_is_no_answer_an_image_that_is_hardly_ticked_teaches_nothing() -> None:
    p = np.array([0.02, 0.75, 0.02, 0.75])
    page = best_page(np.ones(4), p, 2, Seconds(), no_tick_answers=False)
    assert sorted(page.places.tolist()) == [1, 3]


@given(
    st.floats(0.2, 5.0),
    st.floats(0.3, 5.0),
    st.lists(st.tuples(st.integers(1, 48), st.floats(0.0, 1.0)), min_size=1, max_size=20),
)
def test_a_look_is_told_from_recorded_pages_however_many_of_their_images_were_marked(
    look: float, mark: float, pages: list[tuple[int, float]]
) -> None:
    told = []
    for images, share in pages:
        marks = round(share * images)
        told.append(TimedPage((images * look + marks * mark) / images, images, marks))
    assert recorded_look(told, mark) == pytest.approx(look)


def test_of_nothing_there_is_no_page_and_nothing_to_learn() -> None:
    none = np.empty(0)
    assert (len(best_page(none, none, 24, Seconds()).places), single_worth(none, Seconds())) == (0, 0.0)
