"""The rows of a run are read a part of the titles at a time, and the sums are those of the whole."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.labeler.insights import strata
from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.duck import parquet
from attune.models.insights.outcomes import Floats, Outcomes
from attune.models.insights.row_parts import Stored

MANY = "B of many rows"
TITLES = [MANY] * 20 + ["10", "9", "é", "zu", "Z", "a/b", "it's {first}", "東京", "", "𝔘"] * 4


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """Rows of titles in odd order, some of them twice in a stratum, in a workspace with braces in its path."""
    rng = np.random.default_rng(5)
    n = len(TITLES)
    columns = {name: [None] * n for name in (*GROUPS, *PERIOD)}
    table = pa.table(
        columns
        | {
            "title_id": TITLES,
            "asset_id": [f"{title} {rng.integers(3)}" for title in TITLES],
            "canvas": rng.choice(["home", "Éa", "billboard"], n).tolist(),
            "device": rng.choice(["tv", "phone"], n).tolist(),
            "arm": rng.choice(["explore", "serve"], n).tolist(),
            "impressions": rng.integers(50, 99, n),
            "takes": rng.integers(0, 50, n).astype(float),
            "propensity": pa.array(rng.random(n), mask=rng.random(n) < 0.3),
        }
    )
    folder = tmp_path / "{first} of {0} {"
    folder.mkdir()
    pq.write_table(table.take(rng.permutation(n)), folder / "rows.parquet")
    return parquet(folder / "rows.parquet")


def told(rows: str, chances: bool, folder: Path) -> strata.Summed:
    with duckdb.connect() as duck:
        found = strata.summed(duck, rows, chances, folder)
    assert found is not None
    return found


def in_memory(found: strata.Summed) -> tuple[Outcomes, Floats]:
    parts = list(found.every.parts())
    columns = ("asset", "title", "canvas", "impressions", "takes")
    every = Outcomes(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))
    return every, np.concatenate([chance for _, chance in found.with_chances()] or [np.zeros(0)])


@pytest.mark.parametrize("chances", [True, False])
def test_many_parts_are_the_whole(rows: str, chances: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = told(rows, chances, tmp_path)
    monkeypatch.setattr(strata, "PART", 7)  # rows: fewer than one title has
    parts = told(rows, chances, tmp_path)
    assert isinstance(whole.every, Outcomes)
    assert isinstance(parts.every, Stored)
    every, propensity = in_memory(parts)
    for name in ("asset", "title", "canvas", "impressions", "takes"):
        np.testing.assert_array_equal(getattr(every, name), getattr(whole.every, name))
    for name in ("asset_ids", "title_ids", "canvases", "canvas_of", "random"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    assert (whole.propensity is None) == (not chances)
    assert len(propensity) == chances * len(every)
    if whole.propensity is not None:
        np.testing.assert_allclose(propensity, whole.propensity)
        assert 0 < np.isnan(propensity).sum() < len(propensity)
    titles, assets = parts.title_ids[every.title], parts.asset_ids[every.asset]
    assert all(asset.rpartition(" ")[0] == title for title, asset in zip(titles, assets, strict=True))
    shown = pq.read_table(rows.split("'")[1])
    assert every.takes.sum() == sum(shown["takes"].to_pylist())
    assert every.takes[titles == MANY].sum() == sum(
        takes for title, takes in zip(shown["title_id"].to_pylist(), shown["takes"].to_pylist(), strict=True)
        if title == MANY
    )  # fmt: skip
