"""A pool as a learned space sees it: the products that *Similar* ranks by, whatever the blocks and steps."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.similarity import projected_pool
from attune.models.similarity.projected_pool import ProjectedPool
from attune.models.similarity.space_files import LearnedSpace
from attune.models.vectors.pool import Pool


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_rows_and_products_are_those_of_the_space(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projected_pool, "STEP", 7)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((40, 6)).astype(np.float32)
    raw = Pool.of([f"a{row}" for row in range(40)], x)
    blocks = tuple(raw.blocks[0][part].astype(np.float16) for part in (slice(0, 13), slice(13, 40)))
    space = LearnedSpace(np.full(6, 0.1), np.eye(6), rng.standard_normal((3, 6)), [share, 0])
    pool = ProjectedPool(raw.asset_ids, raw.title_ids, blocks, space)
    rows = pool.rows(np.arange(40))
    assert rows.shape == (40, pool.dim)
    stored = Pool(raw.asset_ids, raw.title_ids, blocks).rows(np.arange(40))
    np.testing.assert_allclose(rows, space.vectors(stored), atol=1e-6)
    learned = (stored - space.mean) @ space.projection.T
    learned /= np.linalg.norm(learned, axis=1, keepdims=True)
    expected = (1 - share) * learned @ learned[5] + share * stored @ stored[5]
    np.testing.assert_allclose(pool.logits(rows[[5]], np.zeros(1, np.float32))[:, 0], expected, atol=1e-5)


def test_a_row_alone_is_what_it_is_in_a_batch() -> None:
    rng = np.random.default_rng(5)
    raw = Pool.of([f"a{row}" for row in range(200)], rng.standard_normal((200, 96)))
    space = LearnedSpace(
        rng.standard_normal(96), rng.standard_normal((64, 96)), rng.standard_normal((32, 64)), [0.2, 0]
    )
    pool = ProjectedPool(raw.asset_ids, raw.title_ids, raw.blocks, space)
    batch = pool.rows(np.arange(200))
    assert all(np.array_equal(pool.rows([row])[0], batch[row]) for row in range(200))
