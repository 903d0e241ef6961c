"""The share of images on which people agree with a measured class: weighed, with an interval that holds, or none."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.measured.agreement import Agreement, agreement

IMAGES = np.array([9000, 1000])  # the second class is rare, and drawn as often as the first
SHARES = np.array([0.95, 0.6])  # on which people agree with either
TRUTH = float(SHARES @ IMAGES / IMAGES.sum())


def drawn(seed: int, each: int = 60, title: int = 1) -> Agreement:
    """``each`` answers a class; those of ``title`` images of a title agree or disagree together."""
    rng = np.random.default_rng(seed)
    measured = np.repeat([0, 1], each)
    agrees = np.repeat(rng.random(2 * each // title) < np.repeat(SHARES, each // title), title)
    titles = np.repeat(np.arange(2 * each // title), title).astype(np.str_)
    return agreement(measured, np.where(agrees, measured, 1 - measured), (each / IMAGES)[measured], titles, IMAGES)


@pytest.mark.parametrize("title", [1, 4])
def test_its_interval_holds_the_truth_also_where_titles_err_together(title: int) -> None:
    found = [drawn(seed, title=title) for seed in range(100)]
    inside = sum(one.lo < TRUTH < one.hi for one in found if one.lo is not None and one.hi is not None)
    assert inside >= 89  # 95 of 100 less three standard errors
    assert np.mean([one.value for one in found if one.value is not None]) == pytest.approx(TRUTH, abs=0.015)


def test_titles_that_err_together_say_less() -> None:
    alone, together = ([one.hi - one.lo for one in (drawn(seed, title=title) for seed in range(20))
                        if one.lo is not None and one.hi is not None] for title in (1, 4))  # fmt: skip
    assert np.mean(together) > 1.5 * np.mean(alone)


@pytest.mark.parametrize(("rare", "told"), [(100, False), (5, True)])
def test_a_class_in_which_nobody_answered_takes_the_figure_of_all_images_away_unless_it_is_tiny(
    rare: int, told: bool
) -> None:
    places = np.zeros(20, dtype=np.intp)
    found = agreement(places, places, np.full(20, 0.02), np.arange(20).astype(np.str_), np.array([1000, rare]))
    assert (found.value is not None) is told
    assert found.unknown == (1,)
    assert found.by_class[1] is None
    assert found.by_class[0] is not None
