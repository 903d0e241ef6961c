"""The intrinsic dimension of manifolds whose dimension is known, finite whatever the vectors are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.spaces.intrinsic_dimension import LEAST, estimate
from benchmarks.clusters import manifold


@pytest.mark.parametrize("seed", range(3))
def test_ten_dimensions_in_512_with_duplicates(seed: int) -> None:
    found = estimate(manifold(3_000, 10, 512, 0.05, seed))
    assert found.duplicates >= 0.05 * 3_000
    assert found.two_nn == pytest.approx(10, rel=0.1)
    assert found.likelihood[10] == pytest.approx(10, rel=0.15)


def test_as_scikit_dimension_estimates() -> None:
    import skdim

    rows = manifold(1_500, 6, 40, 0, 0)
    found = estimate(rows)
    assert found.two_nn == pytest.approx(skdim.id.TwoNN().fit_transform(rows.astype(np.float64)), rel=0.02)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9), st.integers(1, 300), st.integers(1, 40), st.booleans())
def test_estimates_are_finite_with_any_duplicates(seed: int, n: int, distinct: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 5)).astype(np.float32)
    rows = rows.round(0) if coarse else rows[rng.integers(distinct, size=n) % n]
    found = estimate(rows)
    assert all(np.isfinite(value) for value in found.likelihood.values())
    assert found.two_nn is None or np.isfinite(found.two_nn)
    assert (found.two_nn is None) == (n - found.duplicates < LEAST)
