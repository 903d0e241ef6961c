"""Two features in one model: planted effects are found, and what has none is not sure more often than agreed."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.two_features import Feature, depends, holding
from attune.models.insights.within_title import within_title

ALONE, OTHER, MORE = 0.1, -0.2, 0.25


def world(seed: int, titles: int = 500, more: float = MORE, genre: bool = False) -> tuple[Outcomes, Floats, Floats]:
    """Four images a title; the second property follows the first, or is one of the title."""
    rng = np.random.default_rng(seed)
    title = np.repeat(np.arange(titles), 4)
    popular, luck = rng.normal(size=titles)[title], rng.normal(0, 0.1, len(title))
    first = (rng.random(len(title)) < 1 / (1 + np.exp(-popular))).astype(float)
    second = (rng.random(len(title)) < 0.3 + 0.4 * first).astype(float)
    if genre:
        second = (rng.random(titles) < 0.5)[title].astype(float)
    shown = rng.integers(2_000, 8_000, len(title))
    effect = ALONE * first + OTHER * second + more * first * second
    taken = np.minimum(rng.poisson(shown * 0.02 * np.exp(0.5 * popular + luck + effect)), shown)
    return outcomes(range(len(title)), title, np.zeros(len(title)), shown, taken), first, second


def said(true: Floats, apart: float, seed: int, audits: int = 400) -> Probed:
    """What a probe says of a property, with audits of images drawn at random."""
    rng = np.random.default_rng([seed, 1])
    p = 1 / (1 + np.exp(-apart * (apart * (true - 0.5) + rng.normal(size=len(true)))))
    drawn = np.flatnonzero(rng.random(len(true)) < audits / len(true))
    return probed(p, drawn, true[drawn], np.full(len(drawn), audits / len(true)))


@pytest.mark.parametrize("genre", [False, True])
def test_an_effect_that_depends_on_the_other_feature_is_told_at_both_of_its_ends(genre: bool) -> None:
    rows, first, second = world(0, genre=genre)
    found = depends(rows, Feature(first), Feature(second))
    for effect, truth in ((found.difference, MORE), (found.high, ALONE + MORE), (found.low, ALONE)):
        assert abs(effect.estimate - truth) < 3 * effect.se
        assert effect.se < 0.06
    assert found.difference.p < 0.001
    assert found.difference.estimate == pytest.approx(found.high.estimate - found.low.estimate, abs=1e-7)
    # Asked the other way round, it is the same question.
    if not genre:
        turned = depends(rows, Feature(second), Feature(first))
        assert turned.difference.estimate == pytest.approx(found.difference.estimate, abs=1e-7)
        assert turned.difference.se == pytest.approx(found.difference.se, rel=1e-3)


def test_what_a_genre_changes_is_the_difference_of_two_groups_of_titles() -> None:
    rows, first, genre = world(1, genre=True)
    found = depends(rows, Feature(first), Feature(genre))
    for effect, part in ((found.high, genre == 1), (found.low, genre == 0)):
        alone = within_title(rows.where(part), first[part])
        assert effect.estimate == pytest.approx(alone.estimate, abs=1e-7)
        assert effect.se == pytest.approx(alone.se, rel=0.01)


def test_a_number_changes_the_effect_by_its_standard_deviation() -> None:
    rows, first, _ = world(2, more=0.0)
    rng = np.random.default_rng(2)
    number = rng.normal(size=len(first))
    kept = rng.binomial(rows.takes.astype(int), np.exp(0.1 * first * number - 0.4))
    rows = outcomes(rows.asset, rows.title, rows.canvas, rows.impressions, kept)
    found = depends(rows, Feature(first), Feature(number, number=True))
    assert found.difference.ci[0] < 0.1 < found.difference.ci[1]
    assert found.high.estimate - found.low.estimate == pytest.approx(2 * found.difference.estimate, abs=1e-7)


def test_holding_the_other_feature_tells_the_effect_of_one_alone() -> None:
    rows, first, second = world(3, more=0.0)
    found = holding(rows, Feature(first), Feature(second))
    assert found.held.ci[0] < ALONE < found.held.ci[1]
    assert found.alone.estimate == pytest.approx(within_title(rows, first).estimate, abs=1e-8)
    assert found.alone.se == pytest.approx(within_title(rows, first).se, rel=1e-8)
    assert found.alone.estimate < found.held.estimate - 2 * found.held.se  # the other one comes along, and harms


@pytest.mark.parametrize("which", ["first", "second"])
def test_what_a_probe_gets_wrong_is_corrected_in_either_place(which: str) -> None:
    inside = {"difference": 0, "held": 0}
    errors = []
    for seed in range(12):
        rows, first, second = world(seed)
        true = first if which == "first" else second
        probe = said(true, 2.0, seed)
        wrong, right = Feature(probe.says, probed=probe), Feature(second if which == "first" else first)
        pair = (wrong, right) if which == "first" else (right, wrong)
        found = depends(rows, *pair).difference
        inside["difference"] += found.ci[0] < MORE < found.ci[1]
        plain = depends(rows, *(Feature(one.x) for one in pair)).difference
        errors.append((found.estimate - MORE, plain.estimate - MORE))
        rows, _, _ = world(seed, more=0.0)
        held = holding(rows, *pair).held
        inside["held"] += held.ci[0] < ALONE < held.ci[1]
    assert min(inside.values()) >= 10
    off, plain_off = np.abs(np.mean(errors, axis=0))
    assert off < 0.5 * plain_off  # thresholded, the difference comes out too small


def test_what_cannot_be_told_says_why() -> None:
    rows, first, second = world(5, titles=60)
    probe = said(first, 2.0, 5, 120)
    with pytest.raises(NotEnoughLabels, match="audits are of different images"):
        depends(rows, Feature(probe.says, probed=probe), Feature(second, probed=said(second, 2.0, 5, 120)))
    with pytest.raises(NotEnoughLabels, match="needed at each end"):
        depends(rows, Feature(first), Feature(np.where(rows.title < 5, 1.0, 0.0)))
    with pytest.raises(NotEnoughLabels, match="held already"):
        holding(rows, Feature(first), Feature(rows.title % 2.0))
    few = said(first, 2.0, 5, audits=20)
    with pytest.raises(NotEnoughLabels, match="audited images"):
        holding(rows, Feature(few.says, probed=few), Feature(second))
    with pytest.raises(NotEnoughLabels, match="No effect fits"):
        holding(rows, Feature(first), Feature(first))
