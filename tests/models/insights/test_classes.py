"""The classes of one attribute exclude each other: their corrected effects are right, or there are none."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

from attune.models.errors import NotEnoughLabels
from attune.models.insights.corrected import Corrected, corrected_jointly
from attune.models.insights.expected_score import Cells, expected_score
from attune.models.insights.outcomes import Outcomes, outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.states import exclusive

TITLES, AUDITS, CAMPAIGNS = 600, 400, 20


def campaign(
    seed: int, effects: tuple[float, float], apart: float, rare: int = TITLES
) -> tuple[Outcomes, list[Probed]]:
    """Four images a title of one of three classes, more of the first where titles are popular; two have effects, and
    the second is on images of the first ``rare`` titles alone."""
    rng = np.random.default_rng(seed)
    title = np.repeat(np.arange(TITLES), 4)
    popular = rng.normal(size=TITLES)[title]
    share = np.exp(np.stack([0.5 * popular - 0.3, -0.3 * popular - 0.3, np.zeros(len(title))], axis=1))
    share[title >= rare, 1] = 0.0
    share /= share.sum(axis=1, keepdims=True)
    true = np.eye(3)[np.minimum((rng.random(len(title))[:, None] > share.cumsum(axis=1)).sum(axis=1), 2)]
    p = np.exp(apart * (apart * true + rng.normal(size=true.shape)))
    p[title >= rare, 1] *= 1e-4
    p /= p.sum(axis=1, keepdims=True)
    shown = rng.integers(2_000, 8_000, len(title))
    taken = np.minimum(rng.poisson(shown * 0.02 * np.exp(0.4 * popular + true[:, :2] @ effects)), shown)
    drawn = np.flatnonzero(rng.random(len(title)) < AUDITS / len(title))
    chance, says = np.full(len(drawn), AUDITS / len(title)), p.argmax(axis=1)
    probes = [probed(p[:, k], drawn, true[drawn, k], chance, (says == k).astype(float)) for k in (0, 1)]
    return outcomes(range(len(title)), title, np.zeros(len(title)), shown, taken), probes


@cache
def found(effects: tuple[float, float], apart: float) -> list[list[Corrected]]:
    runs = (campaign(seed, effects, apart) for seed in range(CAMPAIGNS))
    return [corrected_jointly(rows, probes, classes=True) for rows, probes in runs]


@pytest.mark.parametrize(("effects", "apart"), [((0.2, -0.1), 3.0), ((0.2, -0.1), 1.5), ((0.2, 0.2), 2.0)])
def test_each_class_has_its_effect_over_the_one_left_out(effects: tuple[float, float], apart: float) -> None:
    for k, effect in enumerate(effects):
        each = [one[k].effect for one in found(effects, apart)]
        assert sum(one.ci[0] <= effect <= one.ci[1] for one in each) >= 0.85 * CAMPAIGNS
        assert max(one.se for one in each) < 0.03
        assert np.mean([one.estimate for one in each]) == pytest.approx(effect, abs=0.012)


def test_probabilities_of_classes_are_kept_and_no_image_is_of_two() -> None:
    states = exclusive(np.array([[0.2, 0.3], [0.9, 0.3], [np.nan, 0.1]]))
    assert states[0] == pytest.approx([0.5, 0.2, 0.3])
    assert states[1] == pytest.approx([0.0, 0.75, 0.25])
    assert np.isnan(states[2]).all()


def test_the_expected_score_of_classes_is_the_mean_over_all_classes_that_images_may_have() -> None:
    cells = Cells.of(outcomes(range(4), [0] * 4, [0] * 4, [100, 200, 150, 120], [10, 15, 20, 7]))
    p, effect = np.array([[0.2, 0.6], [0.5, 0.1], [0.3, 0.4], [0.1, 0.4]]), np.array([-0.1, 0.15])
    states, mean = exclusive(p), np.zeros(2)
    certain = np.eye(3)[:, 1:]
    for has in itertools.product(range(3), repeat=4):
        a = exclusive(certain[list(has)])
        mean += states[np.arange(4), list(has)].prod() * expected_score(cells, a, effect).score[0]
    told = expected_score(cells, states, effect)
    assert told.score[0] == pytest.approx(mean, abs=0.01)


def test_what_a_class_adds_to_the_scores_of_all_classes_is_their_slope() -> None:
    rng, images = np.random.default_rng(0), 400  # of so many, one hardly moves what is expected of the others
    taken = rng.integers(0, 40, images)
    cells = Cells.of(outcomes(range(images), [0] * images, [0] * images, rng.integers(400, 600, images), taken))
    p, effect, step = rng.dirichlet([1, 1, 1], images)[:, 1:], np.array([-0.3, 0.4]), 1e-6
    told = expected_score(cells, exclusive(p), effect)
    for row, one in itertools.product(range(5), range(2)):
        moved = p + step * np.outer(np.arange(images) == row, np.arange(2) == one)
        slope = (expected_score(cells, exclusive(moved), effect).score[0] - told.score[0]) / step
        assert told.by_row[row, one] == pytest.approx(slope, abs=0.05)
        assert abs(told.by_row[row, one, 1 - one]) > 0.5


def test_titles_are_those_of_each_class() -> None:
    first, second = found((0.2, -0.1), 3.0)[0]
    assert first.effect.titles != second.effect.titles


@pytest.mark.parametrize("rare", [0, 12])
def test_a_rare_third_class_keeps_no_other_from_being_told_and_does_not_move_it(rare: int) -> None:
    told = []
    for seed in range(6):
        rows, probes = campaign(seed, (0.2, -0.5), 3.0, rare)
        (only,) = corrected_jointly(rows, probes, classes=True)  # the third class has no figure of its own
        told.append(only.effect)
    assert sum(one.ci[0] <= 0.2 <= one.ci[1] for one in told) >= 5
    assert np.mean([one.estimate for one in told]) == pytest.approx(0.2, abs=0.015)
    assert max(one.se for one in told) < 0.05


def test_classes_that_the_takes_cannot_tell_apart_are_refused() -> None:
    rng = np.random.default_rng(0)
    title = np.repeat(np.arange(TITLES), 4)
    half = np.full((len(title), 2), 0.5)  # an image is of one class or the other, and the probe never says which
    shown = np.full(len(title), 5_000)
    rows = outcomes(range(len(title)), title, np.zeros(len(title)), shown, rng.binomial(shown, 0.02))
    drawn = np.arange(0, len(title), 6)
    side = rng.random(len(title)) < 0.5
    probes = [
        probed(half[:, k], drawn, (side == bool(k))[drawn], np.full(len(drawn), 1 / 6), (side == bool(k)).astype(float))
        for k in (0, 1)
    ]
    with pytest.raises(NotEnoughLabels, match="No effect fits"):
        corrected_jointly(rows, probes, classes=True)
