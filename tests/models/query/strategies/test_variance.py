from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from attune.models.probes.probe import Probe
from attune.models.query.strategies import strategy
from attune.models.query.strategies.variance import Space
from attune.models.vectors.axes import Axes
from tests.models.worlds import world


def scene(n: int = 60, seen: int = 12):
    here = world(n=n + seen + 40, dim=8)
    rows = here.pool.rows(np.arange(n + seen + 40))
    probe = Probe(here.classes, 1.0).fit(rows[:seen], np.eye(2)[here.truth[:seen]])
    return probe, rows[:seen], rows[seen : seen + n], rows[seen + n :]


@pytest.mark.parametrize("labels", [6, 12], ids=["fewer than dimensions", "more than dimensions"])
def test_gains_are_those_of_the_laplace_posterior_computed_in_weight_space(labels: int) -> None:
    probe, seen, candidates, reference = scene()
    seen = seen[:labels]
    picks, gains = strategy("variance_reduction")(probe, candidates, 6, seen=seen, reference=reference)

    def doubt(rows: np.ndarray, least: float) -> np.ndarray:
        p = probe.predict_proba(rows)[:, 0]
        return np.maximum(p * (1 - p), least)

    precision = np.eye(seen.shape[1]) + (seen.T * doubt(seen, 0.02)) @ seen
    weights = doubt(reference, 1e-3)
    for pick, gain in zip(picks, gains, strict=True):
        before = np.einsum("ij,jk,ik->i", reference, np.linalg.inv(precision), reference)
        grown = [precision + q * np.outer(x, x) for x, q in zip(candidates, doubt(candidates, 1e-3), strict=True)]
        after = [np.einsum("ij,jk,ik->i", reference, np.linalg.inv(g), reference) for g in grown]
        falls = np.array([((before - a) * weights).sum() for a in after])
        np.testing.assert_allclose(gain, falls[pick], rtol=2e-3)
        assert falls[pick] >= falls[np.setdiff1d(np.arange(60), picks[: list(picks).index(pick)])].max() * 0.999
        precision = grown[pick]


def test_many_labels_take_no_memory_of_their_square() -> None:
    probe, seen, candidates, reference = scene()
    tracemalloc.start()
    strategy("variance_reduction")(probe, candidates, 2, seen=np.tile(seen, (500, 1)), reference=reference)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * 2**20  # 6,000 labels: their square alone would be 137 MB


def test_with_axes_the_gains_are_those_on_rows_that_an_even_prior_sees() -> None:
    probe, seen, candidates, reference = scene()
    directions = np.linalg.qr(np.random.default_rng(1).standard_normal((seen.shape[1], 2)))[0].T.astype(np.float32)
    axes = Axes(directions, np.array([-0.9, -0.6], dtype=np.float32), 1.8)
    rows = {"seen": seen, "candidates": candidates, "reference": reference}
    told = {name: axes.narrowed(one, 0.7) for name, one in rows.items()}

    class Known:
        """Answers for the narrowed rows as the probe does for the rows they came from."""

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            whole, known = np.concatenate(list(told.values())), np.concatenate(list(rows.values()))
            place = [int(np.abs(whole - one).sum(axis=1).argmin()) for one in x]
            return probe.predict_proba(known[place])

    expected = strategy("variance_reduction")(
        Known(), told["candidates"], 6, seen=told["seen"], reference=told["reference"]
    )
    probe.narrowed_ = 0.7
    found = strategy("variance_reduction")(probe, candidates, 6, seen=seen, reference=reference, space=Space(axes=axes))
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-3)


def test_a_copy_of_what_was_just_picked_is_not_picked_next() -> None:
    probe, seen, candidates, reference = scene()
    first = strategy("variance_reduction")(probe, candidates, 1, seen=seen, reference=reference)[0][0]
    doubled = np.concatenate([candidates, np.repeat(candidates[first : first + 1], 5, axis=0)])
    picks, _ = strategy("variance_reduction")(probe, doubled, 2, seen=seen, reference=reference)
    assert picks[0] in {first, *range(60, 65)}
    assert picks[1] not in {first, *range(60, 65)}


def test_what_all_vectors_share_changes_nothing_once_the_centre_is_known() -> None:
    probe, seen, candidates, reference = scene()
    offset = np.full(seen.shape[1], 3.0, dtype=np.float32)
    moved = Probe.from_heads(("yes", "no"), probe.weight_, probe.bias_ - probe.weight_ @ offset)
    plain = strategy("variance_reduction")(probe, candidates, 8, seen=seen, reference=reference)
    shifted = strategy("variance_reduction")(
        moved, candidates + offset, 8, seen=seen + offset, reference=reference + offset, space=Space(offset)
    )
    np.testing.assert_array_equal(plain[0], shifted[0])
