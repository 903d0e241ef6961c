from __future__ import annotations

import numpy as np

from attune.models.query.diversity import coverage, diversity_score
from attune.models.vectors.pool import Pool, unit_length
from tests.models.worlds import world


def test_score_is_zero_for_nothing_and_one_for_ten_of_each_side_in_every_cluster() -> None:
    assert diversity_score(np.empty((0, 8)), []) == 0
    centres = 10 * np.eye(10)
    vectors = np.repeat(centres, 20, axis=0) + 0.01 * np.random.default_rng(0).standard_normal((200, 10))
    assert diversity_score(vectors, np.tile([True, False], 100)) == 1
    assert diversity_score(vectors, np.ones(200, dtype=bool)) == 0.5
    assert diversity_score(vectors[:5], [True] * 5) == 5 / 200


def test_more_of_the_same_place_does_not_raise_it_but_a_new_place_does() -> None:
    rng = np.random.default_rng(1)
    home = unit_length(rng.standard_normal((1, 16)) + 0.02 * rng.standard_normal((60, 16)))
    away = unit_length(rng.standard_normal((20, 16)))
    same = diversity_score(np.concatenate([home[:30], away[:10]]), np.ones(40, dtype=bool))
    assert diversity_score(np.concatenate([home, away[:10]]), np.ones(70, dtype=bool)) <= same + 0.02
    assert diversity_score(np.concatenate([home[:30], away]), np.ones(50, dtype=bool)) > same


def test_coverage_puts_the_part_nobody_looked_at_first() -> None:
    rng = np.random.default_rng(2)
    centres = unit_length(rng.standard_normal((4, 16)))
    where = np.repeat(np.arange(4), 50)
    vectors = unit_length(centres[where] + 0.03 * rng.standard_normal((200, 16)))
    ids = np.array([f"a{i}" for i in range(200)])
    pool = Pool(ids, ids, (vectors,))
    asked = np.flatnonzero(where != 2)[::5]
    found = coverage(pool, asked, np.zeros(len(asked)), seed=0, regions=4)
    assert found[0].unseen
    assert {int(where[int(a[1:])]) for a in found[0].examples} == {2}
    assert not any(region.unseen for region in found[1:])
    assert abs(sum(region.share for region in found) - 1) < 1e-9


def test_coverage_of_nothing_is_nothing() -> None:
    assert coverage(Pool(np.array([], dtype=str), np.array([], dtype=str), ()), [], [], seed=0) == []
    assert len(coverage(world(n=50).pool, [], [], seed=0, regions=5)) == 5
