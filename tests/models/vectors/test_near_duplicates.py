"""Near duplicates and outliers: what is planted is found, nothing else is, and no chain makes a group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.vectors import near_duplicates
from attune.models.vectors.near_duplicates import groups_of, near_pairs
from attune.models.vectors.outliers import loneliest
from attune.models.vectors.pool import Pool, unit_length

LEAST = 0.985
Rows = npt.NDArray[np.float32]


def pool_of(rows: Rows) -> Pool:
    ids = np.arange(len(rows)).astype(str)
    return Pool(ids, ids, (rows,))


def everyone(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.ones(len(rows), dtype=np.bool_)


def narrow(count: int, seed: int) -> Rows:
    """Vectors around a common mean with a falling spectrum, as encoders give them."""
    rng = np.random.default_rng(seed)
    spread = 1 / np.sqrt(1 + np.arange(96))
    return unit_length((rng.standard_normal((count, 96)) * spread + 0.5 * spread).astype(np.float32))


def turned(rows: Rows, cosine: float, seed: int) -> Rows:
    """Each row turned by ``cosine`` in a random direction."""
    aside = unit_length(np.random.default_rng(seed).standard_normal(rows.shape).astype(np.float32))
    aside = unit_length(aside - np.einsum("ij,ij->i", aside, rows)[:, None] * rows)
    return np.asarray(cosine * rows + np.sqrt(1 - cosine**2) * aside, dtype=np.float32)


def test_planted_near_duplicates_are_found_and_all_that_is_found_is_near() -> None:
    rows = narrow(3_000, 1)
    pool = np.concatenate([rows, turned(rows[:300], 0.987, 2)])
    steps: list[int] = []
    pairs, cosines = near_pairs(pool_of(pool), everyone(pool), LEAST, step=lambda: steps.append(1))
    found = {tuple(pair) for pair in pairs.tolist()}
    assert sum((one, 3_000 + one) in found for one in range(300)) >= 297
    np.testing.assert_allclose(np.einsum("ij,ij->i", pool[pairs[:, 0]], pool[pairs[:, 1]]), cosines, atol=1e-5)
    assert (cosines >= LEAST).all()
    exact = np.argwhere(np.triu(pool @ pool.T >= LEAST, 1))
    assert len(found) <= len(exact)
    assert len(steps) == near_duplicates.TABLES


def test_only_what_may_be_found_is_and_the_same_pool_gives_the_same_pairs() -> None:
    rows = narrow(400, 3)
    pool = np.concatenate([rows, rows[:10]]).astype(np.float16)
    among = everyone(pool)
    among[[0, 401]] = False
    pairs, _ = near_pairs(pool_of(pool), among, LEAST)
    assert {(one, 400 + one) for one in range(2, 10)} == {tuple(pair) for pair in pairs.tolist()}
    np.testing.assert_array_equal(pairs, near_pairs(pool_of(pool), among, LEAST)[0])


def test_one_image_many_times_costs_no_square_of_them() -> None:
    rows = np.repeat(narrow(1, 4), 2_000, axis=0)
    pairs, _ = near_pairs(pool_of(rows), everyone(rows), LEAST)
    assert len(pairs) <= 2_000 * near_duplicates.COMPARED * near_duplicates.TABLES
    assert len({one for pair in pairs.tolist() for one in pair}) == 2_000, "each has at least one beside it"


def test_no_pool_and_one_image_have_no_pairs() -> None:
    for count in (0, 1):
        pairs, cosines = near_pairs(pool_of(narrow(count, 5)), everyone(narrow(count, 5)), LEAST)
        assert pairs.shape == (0, 2)
        assert len(cosines) == 0


def test_a_chain_of_small_steps_is_no_group() -> None:
    chain = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    groups = groups_of(chain, np.array([0.99, 0.995, 0.99, 0.99]))
    assert groups == [[(1, 1.0), (2, 0.995), (0, 0.99)], [(3, 1.0), (4, 0.99)]]
    assert groups_of(chain[:0], np.zeros(0)) == []


def test_what_lies_alone_is_an_outlier_and_a_small_pool_has_none() -> None:
    rows = narrow(800, 6)
    strange = np.eye(96, dtype=np.float32)[[93, 94, 95]]
    pool = np.concatenate([rows, strange])
    found, near = loneliest(pool_of(pool), everyone(pool), 10)
    assert {800, 801, 802} <= set(found.tolist())
    assert set(found[:3].tolist()) == {800, 801, 802}
    assert (np.diff(near) >= 0).all()
    among = everyone(pool)
    among[801] = False
    assert 801 not in loneliest(pool_of(pool), among, 10)[0]
    assert len(loneliest(pool_of(pool[:10]), everyone(pool[:10]), 10)[0]) == 0
