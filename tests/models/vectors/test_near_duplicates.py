"""Near duplicates and outliers: what is planted is found, nothing else is, and no chain makes a group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.vectors import near_duplicates
from attune.models.vectors.near_duplicates import near_pairs
from attune.models.vectors.near_groups import groups_of
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
    near = near_pairs(pool_of(pool), everyone(pool), LEAST, step=lambda: steps.append(1))
    pairs, cosines = near.pairs, near.cosines
    found = {tuple(pair) for pair in pairs.tolist()}
    assert sum((one, 3_000 + one) in found for one in range(300)) >= 297
    np.testing.assert_allclose(np.einsum("ij,ij->i", pool[pairs[:, 0]], pool[pairs[:, 1]]), cosines, atol=1e-5)
    assert (cosines >= LEAST).all()
    exact = np.argwhere(np.triu(pool @ pool.T >= LEAST, 1))
    assert len(found) <= len(exact)
    assert len(steps) == near_duplicates.TABLES


def test_only_what_may_be_found_is_and_the_same_pool_gives_the_same_pairs() -> None:
    rows = narrow(400, 3)
    pool = np.concatenate([rows, turned(rows[:10], 0.995, 4), rows[:10]])
    among = everyone(pool)
    among[[0, 401, 411]] = False
    near = near_pairs(pool_of(pool), among, LEAST)
    assert {(one, 400 + one) for one in range(2, 10)} == {tuple(pair) for pair in near.pairs.tolist()} - {(400, 410)}
    assert {(one, 410 + one) for one in range(2, 10)} == {tuple(pair) for pair in near.equal.tolist()}
    np.testing.assert_array_equal(near.pairs, near_pairs(pool_of(pool), among, LEAST).pairs)


def test_blank_scans_are_one_vector_and_no_pairs() -> None:
    rows = np.concatenate([np.repeat(narrow(1, 4), 2_000, axis=0), narrow(300, 5)])
    near = near_pairs(pool_of(rows.astype(np.float16)), everyone(rows), LEAST)
    assert near.equal.tolist() == [[0, one] for one in range(1, 2_000)]
    assert not len(near.pairs)


def test_scans_that_are_almost_blank_are_kept_with_few_others_each() -> None:
    rows = turned(np.repeat(narrow(1, 4), 1_500, axis=0), 0.999, 6)
    near = near_pairs(pool_of(rows), everyone(rows), LEAST)
    _, many = np.unique(near.pairs[:, 1], return_counts=True)
    assert many.max() == near_duplicates.PAIRS
    assert len(near.pairs) <= len(rows) * near_duplicates.PAIRS
    assert len({one for pair in near.pairs.tolist() for one in pair}) == 1_500, "each has at least one beside it"


def test_no_pool_and_one_image_have_no_pairs() -> None:
    for count in (0, 1):
        near = near_pairs(pool_of(narrow(count, 5)), everyone(narrow(count, 5)), LEAST)
        assert near.pairs.shape == near.equal.shape == (0, 2)
        assert len(near.cosines) == 0


def test_a_chain_of_small_steps_is_no_group() -> None:
    chain = [(0, 1, 0.99), (1, 2, 0.995), (2, 3, 0.99), (3, 4, 0.99)]
    groups = groups_of(chain, [], range(5))
    assert groups == [[(1, 1.0), (2, 0.995), (0, 0.99)], [(3, 1.0), (4, 0.99)]]
    assert groups_of([], [], range(5)) == []


def test_the_rest_of_a_group_whose_first_is_gone_is_compared_again() -> None:
    star = [(0, 1, 0.99), (0, 2, 0.99), (0, 3, 0.99), (1, 2, 0.995)]
    assert groups_of(star, [], range(4)) == [[(0, 1.0), (1, 0.99), (2, 0.99), (3, 0.99)]]
    assert groups_of(star, [], range(1, 4)) == [[(1, 1.0), (2, 0.995)]], "3 was near to 0 alone"


def test_images_with_one_vector_stay_together_whoever_of_them_is_gone() -> None:
    pairs, equal = [(0, 5, 0.99)], [(0, 1), (0, 2), (5, 6)]
    assert groups_of(pairs, equal, range(7)) == [[(0, 1.0), (1, 1.0), (2, 1.0), (5, 0.99), (6, 0.99)]]
    assert groups_of(pairs, equal, [1, 2, 6]) == [[(1, 1.0), (2, 1.0), (6, 0.99)]]
    decided = {(1, 2), (1, 6)}
    assert groups_of(pairs, equal, [1, 2, 6], decided) == [[(2, 1.0), (6, 0.99)]]
    assert groups_of([], equal[:2], range(3), {(0, 1)}) == [[(0, 1.0), (2, 1.0)]]


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
