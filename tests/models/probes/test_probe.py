from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from attune.models.errors import DataError, ProbeNotFitted
from attune.models.probes.prior_strength import fit_by_evidence
from attune.models.probes.priors import TextPrior
from attune.models.probes.probe import Probe
from tests.models.worlds import world


def rows_and_shares(n: int = 80, classes: int = 2, seed: int = 0):
    here = world(n=n, classes=classes, seed=seed)
    return here.pool.rows(np.arange(n)), np.eye(classes)[here.truth], here


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("n", [12, 80])
def test_hard_labels_give_scikit_learns_solution(classes: int, n: int) -> None:
    x, shares, here = rows_and_shares(n, classes)
    weights = np.random.default_rng(0).uniform(0.2, 2, n)
    heads, biases, _ = fit_by_evidence(x, shares, weights, [0.7])
    peer = LogisticRegression(C=0.7, tol=1e-10, max_iter=5000).fit(x, here.truth, weights)
    ours = x @ heads.T + biases
    theirs = peer.decision_function(x)
    # One head for two classes, and its sign is for the first.
    wanted = -theirs[:, None] if classes == 2 else theirs - theirs.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ours - (0 if classes == 2 else ours.mean(axis=1, keepdims=True)), wanted, atol=0.03)


def test_soft_labels_are_the_same_as_weighted_copies() -> None:
    x, _shares, _ = rows_and_shares(40)
    rng = np.random.default_rng(1)
    soft = rng.dirichlet([1, 1], size=40)
    heads, bias, _ = fit_by_evidence(x, soft, np.ones(40), [1.0])
    copies = np.concatenate([np.tile([1.0, 0.0], (40, 1)), np.tile([0.0, 1.0], (40, 1))])
    other, other_bias, _ = fit_by_evidence(
        np.concatenate([x, x]), copies, np.concatenate([soft[:, 0], soft[:, 1]]), [1.0]
    )
    np.testing.assert_allclose(heads, other, atol=1e-4)
    np.testing.assert_allclose(bias, other_bias, atol=1e-4)


def test_a_positive_logit_means_the_first_class() -> None:
    x, shares, here = rows_and_shares()
    probe = Probe(here.classes).fit(x, np.asarray(here.classes)[here.truth])
    logits = probe.decision_function(x)
    assert logits[here.truth == 0].mean() > logits[here.truth == 1].mean()
    assert set(probe.predict(x[logits > 0])) == {"yes"}
    np.testing.assert_allclose(probe.predict_proba(x)[:, 0], 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert probe.fit(x, shares).weight_.dtype == np.float32


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]))
def test_the_order_of_examples_changes_nothing_that_matters(seed: int, classes: int) -> None:
    x, shares, here = rows_and_shares(30, classes)
    order = np.random.default_rng(seed).permutation(30)
    first = Probe(here.classes).fit(x, shares)
    second = Probe(here.classes).fit(x[order], shares[order])
    np.testing.assert_allclose(first.logits(x), second.logits(x), atol=2e-3)


def test_labels_gradually_overrule_the_prior() -> None:
    x, shares, here = rows_and_shares(400)
    wrong = TextPrior(weight=-8 * here.directions[:1], bias=np.zeros(1, dtype=np.float32))

    def accuracy(n: int) -> float:
        probe = Probe(here.classes, prior=wrong).fit(x[:n], shares[:n])
        return float((probe.predict(x) == np.asarray(here.classes)[here.truth]).mean())

    assert accuracy(0) < 0.5
    assert accuracy(400) > 0.8


def test_no_examples_leave_the_prior_and_no_prior_leaves_zero() -> None:
    prior = TextPrior(weight=np.ones((1, 4), dtype=np.float32), bias=np.ones(1, dtype=np.float32))
    empty = np.empty((0, 4), dtype=np.float32), np.empty((0, 2))
    assert Probe(("a", "b"), prior=prior).fit(*empty).weight_.tolist() == [[1, 1, 1, 1]]
    assert Probe(("a", "b")).fit(*empty).weight_.tolist() == [[0, 0, 0, 0]]


def test_calibration_is_slope_and_offset_of_the_logit() -> None:
    x, shares, here = rows_and_shares()
    probe = Probe(here.classes).fit(x, shares)
    moved = probe.calibrated([[2.0, -1.0]])
    np.testing.assert_allclose(moved.decision_function(x), 2 * probe.decision_function(x) - 1, atol=1e-5)
    np.testing.assert_allclose(moved.logits(x), probe.logits(x))


def test_is_a_scikit_learn_classifier() -> None:
    x, _shares, here = rows_and_shares()
    probe = clone(Probe(here.classes, strength=0.3))
    assert probe.get_params()["strength"] == 0.3
    names = np.asarray(here.classes)[here.truth]
    assert probe.fit(x, names).score(x, names) > 0.8


def test_says_what_is_wrong() -> None:
    x, _shares, here = rows_and_shares()
    with pytest.raises(ProbeNotFitted, match="Call fit"):
        Probe(here.classes).predict_proba(x)
    with pytest.raises(DataError, match=r"'maybe'.*not among the classes"):
        Probe(here.classes).fit(x[:2], np.array(["yes", "maybe"]))
    with pytest.raises(DataError, match="Name all classes"):
        Probe().fit(x[:2], np.array(["yes", "yes"]))
    with pytest.raises(DataError, match=r"need 1 row.*\(2, 4\)"):
        Probe.from_heads(("a", "b"), np.ones((2, 4)), np.ones(2))


def test_the_evidence_wants_a_tight_prior_for_noise_and_a_loose_one_for_a_clear_rule() -> None:
    x, _shares, here = rows_and_shares(160)
    rng = np.random.default_rng(0)
    noise = np.eye(2)[rng.integers(2, size=160)]
    rule = np.eye(2)[(x @ here.directions[0] < np.median(x @ here.directions[0])).astype(int)]
    for shares, nearest in ((noise, 0.25), (rule, 8.0)):
        chosen = fit_by_evidence(x, shares, np.ones(160)).weight
        sizes = {c: np.linalg.norm(fit_by_evidence(x, shares, np.ones(160), [c])[0]) for c in (0.25, 1.0, 8.0)}
        assert min(sizes, key=lambda c: abs(sizes[c] - np.linalg.norm(chosen))) == nearest
