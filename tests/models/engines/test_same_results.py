"""What Ray maps over tables gives the rows of our own workers, to the bit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.engines import assigning
from attune.models.engines.scoring import Scorer, scored
from tests.support import engines

PROBE = Path(__file__).parents[2] / "data" / "probe-v1" / "romance"
ROWS = 90


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    engines.without_ray(monkeypatch)


def test_scores_and_clusters_are_equal_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest((PROBE / "manifest.json").read_bytes())
    scorer = Scorer(manifest, read_probe((PROBE / FILE_NAME).read_bytes()), datetime(2026, 1, 1, tzinfo=UTC))
    x = np.random.default_rng(0).normal(size=(ROWS, scorer.probe.dimension)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids, titles = (pa.array([f"{name}{row}" for row in range(ROWS)]) for name in "at")
    batches = [(ids[at : at + 40], titles[at : at + 40], x[at : at + 40]) for at in range(0, ROWS, 40)]
    batches.insert(1, (ids[:0], titles[:0], x[:0]))
    ours, by_ray = (pa.Table.from_batches(scored(name, scorer, batches)) for name in ("workers", "ray"))
    assert by_ray.schema.equals(ours.schema, check_metadata=True)
    assert by_ray.combine_chunks().equals(ours.combine_chunks())
    monkeypatch.setattr(assigning, "ROWS", 32)
    np.testing.assert_array_equal(assigning.assigned("ray", x, x[:5]), assigning.assigned("workers", x, x[:5]))
    assert assigning.assigned("ray", x[:0], x[:5]).shape == (0,)
