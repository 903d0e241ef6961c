from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.evaluate import compare, evaluate_audit
from attune.models.evaluation.metrics import Metric, average_precision
from attune.models.labels.labels import Labels
from tests.models.evaluation.answered import CLASSES, audited_world, hard_labels

Floats = npt.NDArray[np.float64]


@pytest.mark.slow
def test_the_audits_interval_holds_the_truth_in_simulated_campaigns() -> None:
    held, widths, errors = [], [], []
    for seed in range(25):
        labels, proba, inclusion, pool, truth = audited_world(seed, n=1000)
        found = evaluate_audit(labels, proba, inclusion, CLASSES, pool=pool, seed=seed)["average_precision"]
        known = average_precision(truth, pool[:, 0])
        assert found.value is not None
        assert found.lo is not None
        assert found.hi is not None
        held.append(found.lo <= known <= found.hi)
        widths.append(found.width)
        errors.append(found.value - known)
    assert np.mean(held) >= 0.86  # 0.95, less two standard errors of 25 campaigns
    assert np.mean(widths) < 0.32
    assert abs(np.mean(errors)) < 0.03


def test_it_beats_a_uniform_audits_bootstrap_in_width() -> None:
    rng = np.random.default_rng(0)
    labels, proba, inclusion, pool, truth = audited_world(3)
    rows = rng.choice(len(truth), size=len(labels), replace=False)
    ids = [f"{i}" for i in rows]
    uniform = evaluate_audit(hard_labels(ids, ids, truth[rows]), pool[rows], np.full(len(rows), 0.08), CLASSES)
    ours = evaluate_audit(labels, proba, inclusion, CLASSES, pool=pool)
    assert ours["average_precision"].width < uniform["average_precision_weighted"].width


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 0.6), st.floats(0.0, 8.0), st.sampled_from([12, 30, 90]))
def test_every_figure_lies_in_its_interval_or_says_why_there_is_none(
    seed: int, prevalence: float, strength: float, audits: int
) -> None:
    labels, proba, inclusion, pool, _ = audited_world(seed, 300, prevalence, strength, audits)
    found = evaluate_audit(labels, proba, inclusion, CLASSES, pool=pool, seed=seed)
    for metric in found.values():
        if metric.value is None:
            assert (
                "needed" in metric.reason
                or "fewer than" in metric.reason
                or "no probability in the pool" in metric.reason
            )
        else:
            assert metric.lo is not None
            assert metric.hi is not None
            assert 0.0 <= metric.lo <= metric.value <= metric.hi <= 1.0
        assert metric.n == len(labels)
    assert found["average_precision"].value == found["average_precision:romance"].value


def test_the_same_seed_gives_the_same_figures() -> None:
    labels, proba, inclusion, pool, _ = audited_world(1)
    one, two = (evaluate_audit(labels, proba, inclusion, CLASSES, pool=pool, seed=9) for _ in range(2))
    assert one == two


def test_two_positives_give_a_wide_early_interval_and_no_more() -> None:
    ids = [f"{i}" for i in range(40)]
    y = np.zeros(40)
    y[:2] = 1.0
    p = np.linspace(0.9, 0.1, 40)
    found = evaluate_audit(hard_labels(ids, ids, y), np.stack([p, 1 - p], axis=1), np.full(40, 0.1), CLASSES)
    early = found["average_precision"]
    assert early.early
    assert early.level == 0.99
    assert early.width > 0.6
    assert found[f"precision:{CLASSES[0]}"].value is None
    assert (
        found[f"precision:{CLASSES[0]}"].reason == "2 positive answers and 38 negative, at least 3 of each are needed"
    )
    assert found["calibration_error"].value is None


def test_the_first_figure_comes_at_ten_answers_and_the_usual_level_at_thirty() -> None:
    p = np.linspace(0.95, 0.05, 30)
    y = (np.arange(30) % 3 == 0).astype(float)
    rng = np.random.default_rng(0)
    levels = {}
    for n in (9, 10, 29, 30):
        rows = np.sort(rng.permutation(30)[:n])
        ids = [f"{i}" for i in rows]
        proba = np.stack([p, 1 - p], axis=1)
        found = evaluate_audit(hard_labels(ids, ids, y[rows]), proba[rows], np.full(n, 0.5), CLASSES, pool=proba)
        figure = found["average_precision"]
        levels[n] = figure.level if figure.value is not None else figure.reason
    assert levels == {9: "there are 9 audit answers, at least 10 are needed", 10: 0.99, 29: 0.99, 30: 0.95}


def test_images_without_a_majority_count_nowhere_but_are_told() -> None:
    labels, proba, inclusion, pool, _ = audited_world(2)
    shares = labels.shares.copy()
    shares[:10] = 0.5
    split = type(labels)(labels.asset_ids, labels.title_ids, shares, labels.weights)
    found = evaluate_audit(split, proba, inclusion, CLASSES, pool=pool)
    without = evaluate_audit(labels.subset(np.arange(10, len(labels))), proba[10:], inclusion[10:], CLASSES, pool=pool)
    assert found["average_precision"] == without["average_precision"]
    assert found["undecided"].value == pytest.approx(10 / len(labels))


def test_answers_that_go_by_title_are_less_sure_than_as_many_apart() -> None:
    labels, proba, inclusion, pool, _ = audited_world(4, strength=0.5)
    rng = np.random.default_rng(0)
    # Eight images of each title share one truth, whatever their score.
    titles = [f"t{i // 8}" for i in range(len(labels))]
    truth = np.repeat((rng.random(len(labels) // 8 + 1) < 0.4).astype(float), 8)[: len(labels)]
    clustered = hard_labels(labels.asset_ids, titles, truth)
    apart = hard_labels(labels.asset_ids, labels.asset_ids, truth)
    one, two = (evaluate_audit(held, proba, inclusion, CLASSES, pool=pool) for held in (clustered, apart))
    assert one["average_precision"].width > 1.2 * two["average_precision"].width


def test_three_classes_are_averaged_and_each_is_told() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, size=200, p=[0.2, 0.3, 0.5])
    logits = rng.normal(size=(200, 3)) + 2.0 * np.eye(3)[truth]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = tuple(f"{i}" for i in range(200))
    labels = type(hard_labels(ids, ids, np.zeros(200)))(ids, ids, np.eye(3)[truth], np.ones(200))
    found = evaluate_audit(labels, proba, np.full(200, 0.2), ("a", "b", "c"))
    parts = [found[f"average_precision:{name}"].value for name in "abc"]
    assert found["average_precision"].value == pytest.approx(np.mean(parts))  # type: ignore[arg-type]
    assert found["average_precision"].positives is None


def test_a_better_probe_is_told_from_a_worse_one_on_the_same_answers() -> None:
    labels, proba, inclusion, pool, truth = audited_world(5, strength=2.5)
    rng = np.random.default_rng(1)

    def blurred(p: Floats, noise: Floats) -> Floats:
        q = 1 / (1 + np.exp(-(np.log(p[:, 0] / p[:, 1]) + noise)))
        return np.stack([q, 1 - q], axis=1)

    noise = 3.0 * rng.normal(size=len(pool))
    rows = [int(asset.split("-")[1]) for asset in labels.asset_ids]
    worse, worse_pool = blurred(proba, noise[rows]), blurred(pool, noise)
    found = compare(labels, (proba, worse), inclusion, CLASSES, pools=(pool, worse_pool))
    known = average_precision(truth, pool[:, 0]) - average_precision(truth, worse_pool[:, 0])
    assert found.lo is not None
    assert found.hi is not None
    assert 0 < found.lo < known < found.hi
    same = compare(labels, (proba, proba), inclusion, CLASSES, pools=(pool, pool))
    assert (same.value, same.lo, same.hi) == (0.0, 0.0, 0.0)


def test_a_pool_of_many_is_summed_up_without_changing_the_figure() -> None:
    labels, proba, inclusion, pool, truth = audited_world(6, n=20_000, audits=150)
    found = evaluate_audit(labels, proba, inclusion, CLASSES, pool=pool)["average_precision"]
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < average_precision(truth, pool[:, 0]) < found.hi


def test_no_audit_answers_is_a_reason_not_an_error() -> None:
    none = hard_labels([], [], np.zeros(0))
    found = evaluate_audit(none, np.zeros((0, 2)), np.zeros(0), CLASSES)
    assert all(metric.value is None for metric in found.values())


def test_what_does_not_fit_is_refused_with_the_shapes() -> None:
    labels, proba, inclusion, pool, _ = audited_world(7)
    with pytest.raises(DataError, match=r"probabilities of shape \(5, 2\)"):
        evaluate_audit(labels, proba[:5], inclusion, CLASSES)
    with pytest.raises(DataError, match=r"has the inclusion probability 0\.0"):
        evaluate_audit(labels, proba, np.zeros(len(labels)), CLASSES)
    with pytest.raises(DataError, match="after the sigmoid"):
        evaluate_audit(labels, proba * 3, inclusion, CLASSES)
    with pytest.raises(DataError, match="for both probes or for neither"):
        compare(labels, (proba, proba), inclusion, CLASSES, pools=(pool, None))


def an_old_run(seed: int) -> tuple[float, bool, float]:
    """A weak run judged on audits that a good one drew: the error, whether the interval holds, the error without pi."""
    rng = np.random.default_rng(seed)
    truth = rng.random(600) < 0.12
    ids = [f"a{i}" for i in range(600)]
    good, weak = (strength * truth + rng.normal(size=600) - 1.5 for strength in (2.5, 1.0))
    design = AuditDesign(seed)
    for scores in (weak, good, good):
        design.extend(ids, ids, scores, 40)
    drawn = np.flatnonzero(design.drawn(ids))
    asked, pi = tuple(ids[i] for i in drawn), design.inclusions(ids)
    labels = Labels(asked, asked, np.stack([truth, ~truth], axis=1)[drawn].astype(float), np.ones(len(drawn)))
    p = 1 / (1 + np.exp(-weak))
    proba = np.stack([p, 1 - p], axis=1)
    told, blind = (
        evaluate_audit(
            labels, proba[drawn], pi[drawn], ("yes", "no"), pool=proba, pool_inclusion=given, seed=seed
        )["average_precision"]
        for given in (pi, None)
    )  # fmt: skip
    true = average_precision(truth, weak)
    return told.value - true, told.lo <= true <= told.hi, blind.value - true


def test_an_old_run_is_not_flattered_by_audits_that_a_better_one_drew() -> None:
    errors, held, blind = np.array([an_old_run(seed) for seed in range(20)], dtype=float).T
    assert abs(errors.mean()) < 0.04
    assert held.mean() >= 0.85  # 0.95, less two standard errors of 20 campaigns
    assert blind.mean() > 0.1, "what the score alone would tell"
    labels, proba, inclusion, _, _ = audited_world(7)
    with pytest.raises(DataError, match="1 inclusion probabilities"):
        evaluate_audit(labels, proba, inclusion, CLASSES, pool_inclusion=[0.5])


def test_a_difference_of_few_answers_is_told_with_more_doubt() -> None:
    labels, proba, inclusion, pool, _ = audited_world(3)
    worse = np.full_like(pool, 0.5)

    def told(n: int) -> Metric:
        some = np.flatnonzero(labels.majority() == 0)[: n // 2].tolist()
        rows = np.array(some + np.flatnonzero(labels.majority() == 1)[: n - len(some)].tolist())
        a, b, pi = proba[rows], worse[: len(rows)], inclusion[rows]
        return compare(labels.subset(rows), (a, b), pi, CLASSES, pools=(pool, worse))

    assert told(8).reason == "there are 8 audit answers, at least 10 are needed"
    assert (told(20).level, told(40).level) == (0.99, 0.95)
