"""Priors weighed by the evidence: what labels contradict fades, and what is skipped to save time changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.probes import prior_strength
from attune.models.probes.prior_strength import fit_by_evidence
from tests.models.worlds import world


def drawn(n: int, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors (n, 24), shares (n, c), and the direction that tells the first class from the rest."""
    here = world(n=max(n, 60), seed=seed, classes=classes)
    x = here.pool.rows(np.arange(n))
    return x, np.eye(classes)[here.truth[:n]], here.directions[0] - here.directions[1:].mean(axis=0)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("n", [12, 60, 200])
def test_leaving_hopeless_priors_out_changes_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch, n: int, classes: int
) -> None:
    x, shares, truth = drawn(n, 3, classes)
    k = 1 if classes == 2 else classes
    start = (3 * np.tile(truth, (k, 1)), np.zeros(k))
    lens = np.stack([truth, np.roll(truth, 5)])
    found = fit_by_evidence(x, shares, np.ones(n), start=start, transfer=lens)
    monkeypatch.setattr(prior_strength, "HOPELESS", np.inf)
    whole = fit_by_evidence(x, shares, np.ones(n), start=start, transfer=lens)
    scale = np.abs(x @ whole[0].T).std()
    assert np.abs(x @ (found[0] - whole[0]).T + found[1] - whole[1]).max() < 0.1 * scale


def test_a_start_that_labels_contradict_is_given_up_and_one_that_they_confirm_helps() -> None:
    gained = []
    for seed in range(6):
        x, shares, truth = drawn(60, seed)
        plain = fit_by_evidence(x, shares, np.ones(60)).weight
        against = fit_by_evidence(x, shares, np.ones(60), start=(-8 * truth[None], np.zeros(1))).weight
        assert np.corrcoef(against, plain)[0, 1] > 0.999
        few = fit_by_evidence(x[:8], shares[:8], np.ones(8)).weight
        begun = fit_by_evidence(x[:8], shares[:8], np.ones(8), start=(8 * truth[None], np.zeros(1))).weight
        gained.append(np.corrcoef(begun, truth[None])[0, 1] - np.corrcoef(few, truth[None])[0, 1])
    assert np.mean(gained) > 0.1


def test_a_start_of_nothing_changes_next_to_nothing() -> None:
    x, shares, _ = drawn(60, 2)
    zero = (np.zeros((1, 24)), np.zeros(1))
    plain = fit_by_evidence(x, shares, np.ones(60))
    np.testing.assert_allclose(fit_by_evidence(x, shares, np.ones(60), start=zero)[0], plain[0], rtol=0.01, atol=0.01)
