"""A probe's errors are corrected by its audits: without errors nothing changes, with errors the interval holds."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from attune.models.errors import DataError, NotEnoughLabels
from attune.models.insights.corrected import Corrected, corrected, corrected_jointly
from attune.models.insights.expected_score import Cells, expected_score
from attune.models.insights.expert_errors import unbiased_answers
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.states import independent, together
from attune.models.insights.within_title import within_title

EFFECT, AUDITS, CAMPAIGNS = -0.1, 300, 40


def world(seed: int, effects: tuple[float, ...] = (EFFECT,), titles: int = 600) -> tuple[Outcomes, Floats]:
    """Outcomes, and the properties (assets, k) of four images a title, more frequent where titles are popular."""
    rng = np.random.default_rng(seed)
    title = np.repeat(np.arange(titles), 4)
    popular = rng.normal(size=titles)[title]
    true = (rng.random((len(title), len(effects))) < expit(popular - 0.8)[:, None]).astype(float)
    shown = rng.integers(2_000, 8_000, len(title))
    taken = rng.poisson(shown * 0.02 * np.exp(0.4 * popular + true @ np.array(effects)))
    asset = np.arange(len(title))
    return outcomes(asset, title, np.zeros(len(title)), shown, np.minimum(taken, shown)), true


def audited(rows: Outcomes, true: Floats, seed: int, apart: float, follows: float = 0.0) -> Probed:
    """A probe with d' ``apart``, which sees more of the property where an image was taken more; unequal audits."""
    rng = np.random.default_rng([seed, 1])
    wanted = np.bincount(rows.title, rows.takes)[rows.title] / 4
    taken = np.empty(len(true))
    taken[rows.asset] = np.clip((rows.takes - wanted) / np.sqrt(np.maximum(wanted, 1)), -3, 3)
    score = apart * (true - 0.5) + follows * taken + rng.normal(size=len(true))
    p = expit(apart * score - 0.8)
    chance = 0.3 + p
    chance *= AUDITS / chance.sum()
    drawn = np.flatnonzero(rng.random(len(true)) < chance)
    return probed(p, drawn, true[drawn], chance[drawn])


def perfect(rows: Outcomes, true: Floats, every: int = 7) -> Probed:
    drawn = np.arange(0, len(true), every)
    return probed(true, drawn, true[drawn], np.full(len(drawn), 1 / every))


@cache
def campaigns(apart: float, follows: float = 0.0) -> list[Corrected]:
    found = []
    for seed in range(CAMPAIGNS):
        rows, true = world(seed)
        found.append(corrected(rows, audited(rows, true[:, 0], seed, apart, follows)))
    return found


def holds(found: list[Corrected], name: str) -> int:
    effects = [getattr(one, name) for one in found]
    return sum(one.ci[0] <= EFFECT <= one.ci[1] for one in effects)


def test_a_probe_without_errors_gives_the_plain_effect() -> None:
    rows, true = world(0)
    plain, found = within_title(rows, true[rows.asset, 0]), corrected(rows, perfect(rows, true[:, 0]))
    assert found.effect.estimate == pytest.approx(plain.estimate, abs=0.02 * plain.se)
    assert found.effect.se == pytest.approx(plain.se, rel=0.02)
    assert found.uncorrected.estimate == pytest.approx(plain.estimate, abs=1e-9)
    for name in ("se", "degrees", "p", "tau", "share_other_way", "model_se"):
        assert getattr(found.uncorrected, name) == pytest.approx(getattr(plain, name), rel=1e-6, abs=1e-12), name
    for name in ("titles", "assets", "impressions", "takes"):
        assert getattr(found.uncorrected, name) == getattr(plain, name), name


def test_the_interval_holds_the_truth_where_a_thresholded_probe_misses_it() -> None:
    found = campaigns(1.8)
    assert holds(found, "effect") >= 0.85 * CAMPAIGNS
    assert holds(found, "uncorrected") <= 0.25 * CAMPAIGNS
    errors = np.array([one.effect.estimate - EFFECT for one in found])
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(CAMPAIGNS)
    assert errors.std() == pytest.approx(np.mean([one.effect.se for one in found]), rel=0.35)


def test_errors_that_follow_performance_turn_the_sign_and_are_noticed_and_corrected() -> None:
    found = campaigns(1.8, 0.5)
    assert np.mean([one.uncorrected.estimate for one in found]) > 0
    assert holds(found, "effect") >= 0.85 * CAMPAIGNS
    assert np.mean([one.follow < 0.05 for one in found]) > 0.8
    assert np.mean([one.follow < 0.05 for one in campaigns(1.8)]) < 0.2


def test_a_better_probe_makes_the_interval_narrower() -> None:
    widths = [np.mean([one.effect.ci[1] - one.effect.ci[0] for one in campaigns(apart)]) for apart in (1.8, 3.0)]
    assert widths[1] < 0.8 * widths[0]


def test_two_properties_are_told_apart() -> None:
    effects = (-0.1, 0.2)
    inside, naive = np.zeros(2), []
    for seed in range(20):
        rows, true = world(seed, effects)
        true[:, 1] = np.where(np.random.default_rng(seed).random(len(true)) < 0.5, true[:, 0], true[:, 1])
        rng = np.random.default_rng([seed, 2])
        rate = 0.02 * np.exp(true @ np.array(effects))[rows.asset]
        rows = outcomes(rows.asset, rows.title, rows.canvas, rows.impressions, rng.poisson(rows.impressions * rate))
        probes = [audited(rows, true[:, k], seed + 50 * k, 2.5) for k in range(2)]
        found = corrected_jointly(rows, probes)
        inside += [one.effect.ci[0] <= e <= one.effect.ci[1] for one, e in zip(found, effects, strict=True)]
        naive.append(within_title(rows, true[rows.asset, 0]).estimate)
    assert (inside >= 17).all()
    assert np.mean(naive) > -0.05  # asked alone, the first property takes on half of the second's effect


def test_how_properties_go_together_is_learned_from_scores() -> None:
    rng = np.random.default_rng(0)
    first = (rng.random(20_000) < 0.3).astype(float)
    second = np.where(rng.random(20_000) < 0.6, first, rng.random(20_000) < 0.3).astype(float)
    scores = 2.0 * np.stack([first, second], axis=1) + rng.normal(size=(20_000, 2))
    p = expit(2.0 * (scores - 1.0) + np.log(3 / 7))
    states = together(p, np.arange(20_000) // 4)
    assert states.sum(axis=1) == pytest.approx(1)
    assert states[:, 3].mean() == pytest.approx((first * second).mean(), abs=0.015)
    assert states[:, 1].mean() == pytest.approx((first * (1 - second)).mean(), abs=0.015)
    assert together(p[:, :1], np.arange(20_000) // 4) == pytest.approx(independent(p[:, :1]))


def test_the_expected_score_is_the_mean_over_all_properties_that_images_may_have() -> None:
    cells = Cells.of(outcomes(range(4), [0] * 4, [0] * 4, [100, 200, 150, 120], [10, 15, 20, 7]))
    p, effect = np.array([[0.2, 0.6], [0.5, 0.1], [0.3, 0.9], [0.8, 0.4]]), np.array([-0.1, 0.15])
    mean = np.zeros(2)
    for has in itertools.product((0.0, 1.0), repeat=8):
        a = np.array(has).reshape(4, 2)
        mean += np.where(a == 1, p, 1 - p).prod() * expected_score(cells, independent(a), effect).score[0]
    found = expected_score(cells, independent(p), effect)
    assert found.score[0] == pytest.approx(mean, abs=0.01)
    assert abs(expected_score(cells, independent(p), np.zeros(2)).score[0] - found.score[0]).min() > 0.1
    assert np.linalg.eigvalsh(found.information[0]).min() > 0


@given(st.integers(0, 1000), st.floats(-1, 1))
@settings(max_examples=20, deadline=None)
def test_with_certain_properties_scores_and_derivatives_are_exact(seed: int, effect: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    shown = rng.integers(100, 900, n)
    cells = Cells.of(outcomes(range(n), [0] * n, [0] * n, shown, rng.integers(0, 100, n)))
    x, at = (rng.random(n) < 0.5).astype(float)[:, None], np.array([effect])
    weight = cells.rows.impressions * np.exp(effect * x[:, 0])
    plain = cells.rows.takes @ x[:, 0] - cells.rows.takes.sum() * (weight @ x[:, 0]) / weight.sum()
    found = expected_score(cells, independent(x), at)
    assert found.score[0, 0] == pytest.approx(plain, abs=1e-9)
    share = weight / weight.sum()
    variance = cells.rows.takes.sum() * (share @ x[:, 0] - (share @ x[:, 0]) ** 2)
    assert found.information[0, 0, 0] == pytest.approx(variance, abs=1e-9)
    step = 1e-6 * (1 - 2 * x)  # towards the inside of 0 to 1
    for row in range(n):
        moved = x + step * (np.arange(n) == row)[:, None]
        each = np.exp(effect) * moved[:, 0] / (1 + moved[:, 0] * np.expm1(effect))
        weight = cells.rows.impressions * (1 + moved[:, 0] * np.expm1(effect))
        score = cells.rows.takes @ moved[:, 0] - cells.rows.takes.sum() * (weight @ each) / weight.sum()
        assert (score - plain) / step[row, 0] == pytest.approx(found.by_row[row, 0, 0], abs=0.05)


def test_the_order_of_audits_and_rows_changes_nothing() -> None:
    rows, true = world(3)
    probe = audited(rows, true[:, 0], 3, 1.8)
    order = np.random.default_rng(0).permutation(len(probe.audited))
    again = probed(probe.probability, probe.audited[order], probe.answer[order], probe.inclusion[order])
    first, second = corrected(rows, probe), corrected(rows, again)
    assert second.effect.estimate == pytest.approx(first.effect.estimate, abs=1e-6)
    assert second.effect.se == pytest.approx(first.effect.se, rel=1e-4)


def test_answers_of_experts_who_err_are_right_on_average() -> None:
    rng = np.random.default_rng(0)
    true = (rng.random(20_000) < 0.3).astype(float)
    right, wrong = np.array([0.9, 0.75]), np.array([0.05, 0.2])
    yes = np.where(true[:, None] == 1, right, wrong)
    answers = (rng.random((len(true), 2)) < yes).astype(float)
    answers[::3, 1] = np.nan
    found = unbiased_answers(answers, right, wrong, 0.3)
    for side in (0, 1):
        assert found[true == side].mean() == pytest.approx(side, abs=0.02)
    assert np.var(found[1::3] - true[1::3]) < np.var(found[::3] - true[::3])  # two experts say more than one
    assert unbiased_answers([[1.0], [0.0]], [1.0], [0.0]).tolist() == [1.0, 0.0]
    with pytest.raises(DataError, match="hardly more often"):
        unbiased_answers([[1.0]], [0.5], [0.45])
    with pytest.raises(DataError, match="no answer"):
        unbiased_answers([[np.nan]], [0.9], [0.1])


def test_audits_by_experts_who_err_still_give_intervals_that_hold() -> None:
    right, wrong = np.array([0.9, 0.85]), np.array([0.1, 0.05])
    found = []
    for seed in range(20):
        rows, true = world(seed)
        clean = audited(rows, true[:, 0], seed, 1.8)
        rng = np.random.default_rng([seed, 3])
        yes = np.where(true[clean.audited] == 1, right, wrong)
        answers = unbiased_answers((rng.random(yes.shape) < yes).astype(float), right, wrong, 0.3)
        found.append(corrected(rows, probed(clean.probability, clean.audited, answers, clean.inclusion)))
    assert holds(found, "effect") >= 17


def test_what_cannot_be_corrected_says_why() -> None:
    rows, true = world(0, titles=60)
    with pytest.raises(NotEnoughLabels, match="At least 60 are needed"):
        corrected(rows, perfect(rows, true[:, 0], every=20))
    with pytest.raises(NotEnoughLabels, match="cannot be compared"):
        corrected(rows, perfect(rows, np.ones(len(true)), every=2))
    with pytest.raises(DataError, match="audited twice"):
        probed([0.5, 0.5], [1, 1], [1, 0], [0.1, 0.1])
    with pytest.raises(DataError, match="no probability"):
        probed([0.5, np.nan], [1], [1], [0.1])
    with pytest.raises(DataError, match="outside its range"):
        probed([0.5, 1.5], [0], [1], [0.1])
    with pytest.raises(DataError, match="outside its range"):
        probed([0.5, 0.5], [0], [1], [0.0])
    with pytest.raises(DataError, match="Give one of each"):
        probed([0.5, 0.5], [0, 1], [1], [0.1])
    with pytest.raises(DataError, match="no answer"):
        probed([0.5, 0.5], [0], [np.nan], [0.1])
