"""What audits add to the variance of a correction is told by all images, and so varies less than the audits' luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from attune.models.insights.audit_errors import degrees, errors, noise, shared, unsure
from attune.models.insights.outcomes import Floats, outcomes
from attune.models.insights.probed import Probed, probed

DRAWS = 300


def drawn(seed: int, p: Floats, chance: Floats, off: float = 0.0) -> Probed:
    """Answers to audits of images with the property by ``p``, of which the probe says ``off`` more as a logit."""
    rng = np.random.default_rng([seed, 1])
    at = np.flatnonzero(rng.random(len(p)) < chance)
    true = (rng.random(len(p)) < p).astype(float)
    says = expit(np.log(p / (1 - p)) + off)
    return probed(says, at, true[at], chance[at])


def world() -> tuple[Floats, Floats, Floats]:
    """Probabilities, chances to be drawn, and what each image has to do with the effect: a few very much."""
    rng = np.random.default_rng(0)
    p = expit(rng.normal(-1, 2, 4000))
    chance = 0.02 + 0.3 * p
    return p, chance, rng.lognormal(0, 1.2, len(p))


def test_on_average_it_is_the_square_of_the_errors_and_varies_less() -> None:
    p, chance, weight = world()
    squares, told = [], []
    for seed in range(DRAWS):
        audits = [drawn(seed, p, chance)]
        squares.append(float((errors(p[:, None], audits)[:, 0] * weight).sum() ** 2))
        told.append(float(noise(p[:, None], audits)[:, 0] @ weight**2))
    truth = float((p * (1 - p) * weight**2 / chance).sum())
    assert np.mean(told) == pytest.approx(truth, rel=0.05)
    assert np.mean(squares) == pytest.approx(truth, rel=0.35), "so vary the errors themselves"
    assert np.std(told) / np.mean(told) < 0.2


def test_a_probe_that_is_wrong_about_itself_adds_more() -> None:
    p, chance, weight = world()
    one = drawn(0, p, chance, off=-3.0)
    right, wrong = (float(noise(says[:, None], [one])[:, 0] @ weight**2) for says in (p, one.probability))
    doubt = one.probability * (1 - one.probability)
    truth = float((p * (1 - p) * weight**2 / chance).sum())
    assert wrong > 1.5 * float((doubt * weight**2 / chance).sum())
    assert right == pytest.approx(truth, rel=0.2)


def test_few_audits_know_the_size_less_well_and_none_add_nothing() -> None:
    p, chance, _ = world()
    known = [degrees(p[:, None], [drawn(0, p, chance * share)]) for share in (1.0, 0.2)]
    assert known[0] > 2 * known[1] > 10
    none = probed(p, [], [], [])
    assert not noise(p[:, None], [none]).any()
    assert degrees(p[:, None], [none]) == degrees(p[:, None], []) == np.inf


def test_an_image_without_a_probability_adds_nothing_known() -> None:
    p, chance, _ = world()
    one = drawn(0, p, chance)
    missing = np.setdiff1d(np.arange(len(p)), one.audited)[:5]
    says = p.copy()
    says[missing] = np.nan
    gone = probed(says, one.audited, one.answer, one.inclusion)
    found = noise(says[:, None], [gone])[:, 0]
    assert np.isnan(found[missing]).all()
    assert np.isfinite(np.delete(found, missing)).all()


def test_answers_of_experts_who_err_vary_more_than_the_property() -> None:
    p, chance, weight = world()
    clean = drawn(0, p, chance)
    answers = clean.answer + np.random.default_rng(2).choice([-0.5, 0.5], len(clean.answer))
    erring = probed(p, clean.audited, answers, clean.inclusion)
    more = (noise(p[:, None], [erring]) - noise(p[:, None], [clean]))[:, 0] @ weight**2
    assert more == pytest.approx(0.25 * (weight**2 / chance).sum(), rel=0.3)


def test_classes_that_exclude_each_other_err_together() -> None:
    _, _, weight = world()
    rng = np.random.default_rng(3)
    p = rng.dirichlet([1.0, 1.0, 2.0], len(weight))
    influence = np.stack([weight, rng.uniform(0.5, 1.5) * weight], axis=1)
    chance, sums, told = np.full(len(p), 0.1), [], []
    rows = outcomes(np.arange(len(p)), np.arange(len(p)) // 4, np.zeros(len(p)), np.ones(len(p)), np.ones(len(p)))
    for seed in range(DRAWS):
        rng = np.random.default_rng([seed, 4])
        at = np.flatnonzero(rng.random(len(p)) < chance)
        true = (rng.random(len(p))[:, None] < p.cumsum(axis=1)).argmax(axis=1)
        audits = [probed(p[:, k], at, true[at] == k, chance[at]) for k in (0, 1)]
        sums.append(float((errors(p[:, :2], audits) * influence).sum()))
        varies = noise(p[:, :2], audits)
        common = shared(p[:, :2], varies)
        told.append(float(unsure(rows, influence[rows.asset][:, :, None], varies, common, rows.title).sum()))
    apart = float((varies * influence**2).sum())
    assert np.mean(told) == pytest.approx(np.var(sums), rel=0.2)
    assert np.mean(told) < 0.8 * apart, "each alone would say too much"


@pytest.mark.parametrize("audits", [140, 240])
def test_what_a_detector_says_has_few_values_each_with_a_chance_of_its_own(audits: int) -> None:
    rng = np.random.default_rng(5)
    rare = rng.random(20_000) < 0.05
    says, right = np.where(rare, 0.9, 0.1), np.where(rare, 0.7, 0.02)
    chance = np.where(rare, audits / 2 / rare.sum(), audits / 2 / (~rare).sum())
    weight = rng.lognormal(0, 0.5, len(says))
    told = []
    for seed in range(100):
        rng = np.random.default_rng([seed, 6])
        at = np.flatnonzero(rng.random(len(says)) < chance)
        one = probed(says, at, (rng.random(len(at)) < right[at]).astype(float), chance[at])
        told.append(float(noise(right[:, None], [one])[:, 0] @ weight**2))
    truth = float((right * (1 - right) * weight**2 / chance).sum())
    assert np.mean(told) == pytest.approx(truth, rel=0.1)
    assert np.quantile(told, 0.05) > 0.6 * truth


def test_audits_without_an_error_know_the_size_as_well_as_others() -> None:
    p = np.full(1_000, 0.02)
    found = []
    for wrong in range(4):
        one = probed(p, np.arange(60), np.arange(60) < wrong, np.full(60, 0.06))
        found.append(degrees(p[:, None], [one]))
    assert min(found) > 4
