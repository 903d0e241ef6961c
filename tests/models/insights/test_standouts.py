"""Images beside the others of their title on a canvas: what stands out, what noise does, and what cannot be told."""

from __future__ import annotations

import numpy as np

from attune.models.insights.outcomes import outcomes
from attune.models.insights.standouts import CLEAR, against_others


def test_what_truly_stands_out_is_clear_and_noise_is_drawn_to_nothing() -> None:
    rng = np.random.default_rng(1)
    titles, images = 200, 4
    title = np.repeat(np.arange(titles), images)
    asset = np.arange(titles * images)
    shown = np.full(len(asset), 2_000.0)
    popular = np.repeat(rng.uniform(0.02, 0.2, titles), images)
    rate = popular.copy()
    rate[::40] *= 2
    taken = rng.poisson(shown * rate).astype(float)
    held = outcomes(asset, title, np.zeros_like(title), shown, np.minimum(taken, shown))
    found = against_others(held)
    clear = found.estimate > CLEAR * found.se
    best = held.asset % 40 == 0
    assert clear[best].mean() > 0.9
    plain = ~np.isin(held.title, held.title[best])
    assert (np.abs(found.estimate[plain]) > CLEAR * found.se[plain]).mean() < 0.05
    assert abs(float(found.estimate[best].mean()) - np.log(2)) < 0.15, "a title's popularity has no part in it"


def test_an_image_alone_or_never_taken_has_no_figure() -> None:
    held = outcomes([0, 1, 2, 3, 4], [0, 1, 1, 2, 2], [0] * 5, [100, 100, 100, 100, 0], [5, 0, 0, 5, 0])
    assert np.isnan(against_others(held).estimate).all()
    assert len(against_others(held.where(held.asset < 0)).estimate) == 0


def test_an_image_that_nobody_took_has_a_figure_and_one_that_was_hardly_shown_says_nothing() -> None:
    shown, taken = [2_000, 2_000, 20, 2_000], [100, 100, 0, 0]
    held = outcomes(range(4), [0] * 4, [0] * 4, shown, taken)
    found = against_others(held)
    assert np.isfinite(found.estimate).all()
    assert found.estimate[3] < -CLEAR * found.se[3]
    assert abs(found.estimate[2]) < CLEAR * found.se[2]
