"""Images beside the others of their title on a canvas: what stands out, what noise does, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.insights.count_shrinkage import LEARNED, shrink_counts
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.standouts import LEAST_OTHERS, against_others, beside_expected


def world(seed: int, shown: Floats, rate: Floats) -> Outcomes:
    """Takes of images (titles, images) that were ``shown`` so often, at ``rate``."""
    titles, images = shown.shape
    taken = np.random.default_rng([seed, 1]).poisson(shown * rate)
    title = np.repeat(np.arange(titles), images)
    return outcomes(np.arange(shown.size), title, np.zeros(shown.size), shown.ravel(), np.minimum(taken, shown).ravel())


def test_what_truly_stands_out_is_clear_and_noise_is_drawn_to_nothing() -> None:
    rng = np.random.default_rng(1)
    shown = np.full((200, 4), 2_000.0)
    rate = np.repeat(rng.uniform(0.02, 0.2, (200, 1)), 4, axis=1)
    rate[::10, 0] *= 2
    held = world(1, shown, rate)
    found = against_others(held)
    best = np.isin(held.asset, np.arange(0, 800, 40))
    assert (found.clear & (found.estimate > 0))[best].mean() > 0.9
    plain = ~np.isin(held.title, held.title[best])
    assert found.clear[plain].mean() < 0.05
    assert abs(float(found.estimate[best].mean()) - np.log(2)) < 0.15, "a title's popularity has no part in it"


SHOWN = {
    "even": lambda rng: np.full((1000, 5), 2_000.0),
    "sparse": lambda rng: np.ceil(55 * rng.lognormal(0, 1, (1000, 5))),
    "uneven": lambda rng: np.ceil(400 * rng.lognormal(0, 2, (1000, 5))),
    "one hardly shown": lambda rng: np.repeat([[20.0, 3_000, 3_000, 3_000, 3_000]], 1000, axis=0),
    "one nearly always": lambda rng: np.repeat([[39_800.0, 200]], 1000, axis=0),
}


@pytest.mark.parametrize("name", SHOWN)
def test_where_all_images_are_alike_next_to_none_is_named(name: str) -> None:
    shown = np.asarray(SHOWN[name](np.random.default_rng(0)))
    found = against_others(world(2, shown, np.full(shown.shape, 0.02)))
    assert found.clear.sum() <= 0.001 * shown.size
    told = found.estimate[np.isfinite(found.estimate)]
    assert not len(told) or np.abs(told).max() < np.log(1.5), "luck makes no large figure"


def test_an_image_that_nobody_took_is_the_clearest() -> None:
    rng = np.random.default_rng(3)
    shown, rate = np.full((500, 4), 5_000.0), np.full((500, 4), 0.04)
    rate *= np.exp(rng.normal(0, 0.1, rate.shape))
    rate[::50, 0] = 0
    held = world(3, shown, rate)
    found = against_others(held)
    never = held.takes == 0
    assert never.sum() == 10
    assert found.clear[never].all()
    assert found.estimate[never].max() < found.estimate[~never].min()


def test_an_image_alone_or_never_taken_has_no_figure() -> None:
    held = outcomes([0, 1, 2, 3, 4], [0, 1, 1, 2, 2], [0] * 5, [100, 100, 100, 100, 0], [50, 0, 0, 50, 0])
    assert np.isnan(against_others(held).estimate).all()
    assert not against_others(held).clear.any()
    assert len(against_others(held.where(held.asset < 0)).estimate) == 0


def test_others_that_were_hardly_taken_are_nothing_to_compare_with() -> None:
    few = outcomes([0, 1], [0, 0], [0, 0], [9_000, 1_000], [90, LEAST_OTHERS - 1])
    assert np.isnan(against_others(few).estimate[few.asset == 0]).all()


def test_the_order_of_titles_and_images_decides_nothing() -> None:
    rng = np.random.default_rng(4)
    expected = rng.uniform(50, 150, 2 * LEARNED)
    spread = np.where(np.arange(len(expected)) % 2 == 0, 0.0, 0.5)  # every second image differs, and much
    takes = rng.poisson(expected * np.exp(spread * rng.normal(size=len(expected)))).astype(float)
    order = rng.permutation(len(expected))
    found, again = shrink_counts(takes, expected), shrink_counts(takes[order], expected[order])
    assert again.ratio == pytest.approx(found.ratio[order], abs=0.05)
    gone = shrink_counts(np.r_[takes, np.nan], np.r_[expected, 3.0])
    assert np.isnan(gone.ratio[-1])


def test_the_ratio_of_the_largest_is_what_another_half_says() -> None:
    rng = np.random.default_rng(5)
    shown = rng.integers(500, 5_000, (1500, 4)).astype(float)
    rate = 0.02 * np.exp(np.where(rng.random((1500, 4)) < 0.1, rng.normal(0, 0.5, (1500, 4)), 0.0))
    first, second = world(6, shown, rate), world(7, shown, rate)
    drawn = beside_expected(first).ratio
    best = np.argsort(-drawn)[:200]
    other = np.bincount(second.title, second.takes)[second.title] * second.impressions
    other /= np.bincount(second.title, second.impressions)[second.title]
    raw = (
        first.takes / (np.bincount(first.title, first.takes) / np.bincount(first.title, first.impressions))[first.title]
    )
    raw /= first.impressions
    truth = second.takes[best].sum() / other[best].sum()
    assert np.average(drawn[best], weights=other[best]) == pytest.approx(truth, rel=0.05)
    assert np.average(raw[best], weights=other[best]) > 1.05 * truth
