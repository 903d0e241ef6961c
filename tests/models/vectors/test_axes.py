"""What varies most in a pool may be beside the question: fewer labels where it is, hardly one lost where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from attune.models.probes import prior_strength
from attune.models.probes.learner import LearnerSettings, fit, plan
from attune.models.probes.prior_strength import fit_by_evidence
from attune.models.probes.probe import Probe
from attune.models.vectors.axes import LEADING, Axes, leading_axes
from attune.models.vectors.pool import Pool, unit_length
from tests.models.worlds import World, world

PLAIN = LearnerSettings(audit_share=0.0, reserved_share=0.0)
SEED = 5


def loud(seed: int, along: bool) -> World:
    """900 vectors that vary mostly in a few directions; the answer lies along one of those, or along a quiet one."""
    rng = np.random.default_rng(seed)
    sizes = np.r_[np.full(LEADING, 4.0), np.full(56, 0.5)]
    raw = rng.standard_normal((900, len(sizes))) * sizes
    column = 0 if along else LEADING + 3
    truth = (raw[:, column] < np.quantile(raw[:, column], 0.75)).astype(np.intp)
    turn = np.linalg.qr(rng.standard_normal((len(sizes), len(sizes))))[0]
    ids = np.array([f"a{i:03d}" for i in range(len(raw))])
    return World(Pool(ids, ids, (unit_length(raw @ turn).astype(np.float16),)), truth, turn[[column]], ("yes", "no"))


def quality(here: World, index: np.ndarray) -> tuple[float, float]:
    probe = fit(here.pool, here.labels(index), here.classes, None, PLAIN, SEED)
    scores = here.pool.logits(probe.weight_, probe.bias_)[:, 0]
    return float(average_precision_score(here.truth == 0, scores)), probe.narrowed_


@pytest.mark.parametrize("along", [False, True])
def test_labels_find_out_whether_what_varies_most_matters(monkeypatch: pytest.MonkeyPatch, along: bool) -> None:
    gained, believed = [], []
    for seed in range(6):
        here = loud(seed, along)
        index = np.random.default_rng(seed).choice(900, 120, replace=False)
        found, beside = quality(here, index)
        with monkeypatch.context() as without:
            without.setattr("attune.models.probes.learner.leading_axes", lambda pool: None)
            gained.append(found - quality(here, index)[0])
        believed.append(beside)
    if along:
        assert np.mean(gained) > -0.01
        assert np.mean(believed) < 0.05
    else:
        assert np.mean(gained) > 0.1
        assert np.mean(believed) > 0.8


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("with_lens", [False, True])
def test_a_narrowed_prior_is_an_even_one_on_evened_rows(
    monkeypatch: pytest.MonkeyPatch, classes: int, with_lens: bool
) -> None:
    monkeypatch.setattr(prior_strength, "BESIDE", 1 - 1e-12)
    monkeypatch.setattr(prior_strength, "WIDTHS", (0.4, 0.4))
    here = world(n=80, dim=24, classes=classes)
    x, shares = here.pool.rows(np.arange(80)), np.eye(classes)[here.truth]
    rng = np.random.default_rng(2)
    directions = np.linalg.qr(rng.standard_normal((24, 3)))[0].T.astype(np.float32)
    axes = Axes(directions, np.array([-0.9, -0.5, -0.2], dtype=np.float32), 1.7)
    lens = rng.standard_normal((2, 24)).astype(np.float32) if with_lens else None
    covariance = np.eye(24) + (directions.T * axes.widths) @ directions
    if lens is not None:
        covariance += 0.4 * lens.T @ lens
    root = np.linalg.cholesky(1.7 * covariance)
    weight, bias, _ = fit_by_evidence(x @ root, shares, np.ones(80), [0.8])
    probe = Probe(here.classes, 0.8, transfer=lens, axes=axes).fit(x, shares)
    np.testing.assert_allclose(probe.weight_, weight @ root.T, atol=3e-3)
    np.testing.assert_allclose(probe.bias_, bias, atol=3e-3)
    assert probe.narrowed_ == pytest.approx(1)


@pytest.mark.parametrize("belief", [0.0, 0.3, 1.0])
def test_products_of_evened_rows_are_the_priors_covariance(belief: float) -> None:
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((10, 2)))[0].T.astype(np.float32)
    axes = Axes(directions, np.array([-0.95, -0.4], dtype=np.float32), 2.0)
    covariance = (1 - belief) * np.eye(10) + belief * 2 * (np.eye(10) + (directions.T * axes.widths) @ directions)
    left, right = rng.standard_normal((2, 6, 10)).astype(np.float32)
    found = axes.narrowed(left, belief) @ axes.narrowed(right, belief).T
    np.testing.assert_allclose(found, left @ covariance @ right.T, atol=1e-4)


def test_each_leading_direction_adds_as_much_as_the_others_and_the_sum_stays() -> None:
    pool = loud(1, along=False).pool
    axes = leading_axes(pool)
    assert axes is not None
    rows = axes.narrowed(pool.rows(np.arange(len(pool))), 1.0)
    covariance = np.cov(rows.T)
    assert np.trace(covariance) == pytest.approx(pool.variance, rel=0.02)
    along = np.diag(axes.directions @ covariance @ axes.directions.T)
    assert along == pytest.approx(np.full(LEADING, along.mean()), rel=0.05)
    assert along.mean() == pytest.approx((np.trace(covariance) - along.sum()) / (pool.dim - LEADING), rel=0.05)
    assert leading_axes(pool) is axes


@pytest.mark.parametrize("copies", [0, 1, 20, 500])
def test_a_pool_too_small_or_too_flat_has_no_axes_and_still_gives_a_probe_and_a_plan(copies: int) -> None:
    one = unit_length(np.random.default_rng(3).standard_normal((1, 40)))
    ids = np.array([f"a{i:03d}" for i in range(copies)], dtype=np.str_)
    pool = Pool(ids, ids, (np.repeat(one, copies, axis=0).astype(np.float16),))
    assert leading_axes(pool) is None
    here = World(pool, np.zeros(copies, dtype=np.intp), one, ("yes", "no"))
    labels = here.labels(np.arange(min(copies, 2)))
    probe = fit(pool, labels, ("yes", "no"), None, PLAIN, SEED)
    asks = plan(pool, probe, labels, list(range(min(copies, 2))), 5, PLAIN, SEED)
    assert len(asks) == min(5, max(0, copies - 2))


def test_labels_that_say_nothing_leave_the_odds_as_they_were() -> None:
    here = loud(1, along=False)
    assert quality(here, np.array([0]))[1] == pytest.approx(prior_strength.BESIDE, abs=0.03)


@pytest.mark.parametrize("n", [33, 40, 60])
def test_a_pool_of_fewer_images_than_dimensions_has_even_axes_too(n: int) -> None:
    rng = np.random.default_rng(n)
    ids = np.array([f"a{i:03d}" for i in range(n)])
    pool = Pool(ids, ids, (unit_length(rng.standard_normal((n, 512)) * np.r_[np.full(8, 6.0), np.ones(504)]),))
    axes = leading_axes(pool)
    assert axes is not None
    assert 1 < axes.scale < 3
    rows = axes.narrowed(pool.rows(np.arange(n)), 1.0)
    spread = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    along = np.diag(axes.directions @ np.cov(rows.T) @ axes.directions.T)
    assert along.mean() == pytest.approx((spread.sum() - along.sum()) / (n - 1 - LEADING), rel=0.05)


def test_a_pool_with_nothing_beside_its_leading_directions_has_no_axes() -> None:
    rng = np.random.default_rng(0)
    ids = np.array([f"a{i:03d}" for i in range(300)])
    raw = rng.standard_normal((300, 64)) * np.r_[np.full(7, 5.0), np.full(57, 0.005)]
    assert leading_axes(Pool(ids, ids, (unit_length(raw),))) is None


def test_the_query_looks_where_the_probe_does() -> None:
    here = loud(2, along=False)
    index = np.random.default_rng(2).choice(900, 120, replace=False)
    labels = here.labels(index)
    probe = fit(here.pool, labels, here.classes, None, PLAIN, SEED)
    assert probe.calibrated([[2.0, 0.5]]).narrowed_ == probe.narrowed_ > 0.5
    told = [ask.index for ask in plan(here.pool, probe, labels, index, 10, PLAIN, SEED)]
    probe.narrowed_ = 0.0
    assert told != [ask.index for ask in plan(here.pool, probe, labels, index, 10, PLAIN, SEED)]
