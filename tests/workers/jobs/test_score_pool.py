"""The whole pool is scored on promotion; values of older versions stay, removed assets go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.catalog.reading import features_of
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import parse_reference
from attune.models.catalog.probe_files import read_probe
from attune.models.clock import now
from attune.models.errors import UnknownProbe
from attune.workers.jobs import pool_parts, score_pool
from tests.labeler.catalog import worlds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return worlds.filled(tmp_path / "workspace")


def values(settings: Settings, reference: str) -> pd.DataFrame:
    return pq.read_table(features_of(settings, parse_reference(reference)).path).to_pandas()


def test_every_asset_gets_the_value_that_the_published_probe_gives_it(settings: Settings) -> None:
    x = worlds.add_assets(settings, 20)
    promote(settings, Move("romance", 1, "r", "ana"))
    done = jobs.run_here(settings, "score", attribute="romance", version=1)
    found = values(settings, "romance@champion")
    assert (done["assets"], len(found)) == (20, 60)
    expected = read_probe(worlds.probe_of(settings, "romance", 1)).probabilities(x)
    wide = found.pivot(index="asset_id", columns="class", values="probability").loc[[f"a{i}" for i in range(20)]]
    assert np.abs(wide[["romance", "friendship", "neither"]].to_numpy() - expected).max() < 1e-5
    assert found.loc[found["asset_id"] == "a7", "title_id"].unique().tolist() == ["t3"]
    with reading(settings) as session:
        assert session.query(Version).one().scored_at is not None


def test_an_older_versions_values_stay_when_the_next_is_scored(settings: Settings) -> None:
    worlds.add_assets(settings, 6)
    for version in (1, 2):
        promote(settings, Move("serious", version, "r", "ana"))
        score_pool.run(settings, jobs.quiet, "serious", version)
    first, second = values(settings, "serious@1"), values(settings, "serious@2")
    assert set(first["version"]) == {1}
    assert not np.allclose(first["logit"], second["logit"])
    assert Catalog(settings.catalog_address).feature_parts("serious", 1) == ["part-00000.parquet"]


def test_scoring_again_takes_new_assets_in_and_removed_ones_out(settings: Settings) -> None:
    worlds.add_assets(settings, 4)
    promote(settings, Move("serious", 1, "r", "ana"))
    score_pool.run(settings, jobs.quiet, "serious", 1)
    before = features_of(settings, parse_reference("serious")).digest
    worlds.add_assets(settings, 3, first=4)
    with writing(settings) as session:
        session.query(Asset).filter_by(asset_id="a1").one().removed_at = now()
    score_pool.run(settings, jobs.quiet, "serious", 1)
    assert sorted(values(settings, "serious")["asset_id"]) == ["a0", "a2", "a3", "a4", "a5", "a6"]
    assert features_of(settings, parse_reference("serious")).digest != before


def test_a_pool_of_several_parts_reads_as_one_whoever_scored_each(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_parts, "PART", 5)
    monkeypatch.setattr(pool_parts, "STEP", 2)
    worlds.add_assets(settings, 7)
    worlds.add_assets(settings, 6, first=7)
    promote(settings, Move("serious", 1, "r", "ana"))
    for part in (2, 0):
        score_pool.run(settings, jobs.quiet, "serious", 1, part=part)
    with reading(settings) as session:
        assert session.query(Version).one().scored_at is None, "a part is missing"
    told = []
    score_pool.run(settings, lambda done, total: told.append((done, total)), "serious", 1)
    assert told[-1] == (13, 13)
    assert sorted(values(settings, "serious")["asset_id"]) == sorted(f"a{i}" for i in range(13))
    with writing(settings) as session:
        for i in range(9, 13):
            session.query(Asset).filter_by(asset_id=f"a{i}").one().removed_at = now()
    score_pool.run(settings, jobs.quiet, "serious", 1)
    assert Catalog(settings.catalog_address).feature_parts("serious", 1) == ["part-00000.parquet", "part-00001.parquet"]
    assert len(values(settings, "serious")) == 9


def test_a_pool_that_is_scored_again_by_many_is_done_with_its_last_part(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_parts, "PART", 5)
    worlds.add_assets(settings, 13)
    promote(settings, Move("serious", 1, "r", "ana"))
    score_pool.run(settings, jobs.quiet, "serious", 1)
    before = scored_at(settings)
    with writing(settings) as session:
        for i in range(9, 13):
            session.query(Asset).filter_by(asset_id=f"a{i}").one().removed_at = now()
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: True)
    monkeypatch.setattr(jobs, "enqueue", lambda _, kind, **arguments: asked.append(arguments) or kind)
    score_pool.run(settings, jobs.quiet, "serious", 1)
    assert [one["part"] for one in asked] == [0, 1]
    score_pool.run(settings, jobs.quiet, **asked[0])
    score_pool.run(settings, jobs.quiet, **asked[0])  # a job that was brought back
    assert scored_at(settings) == before, "a part is still of the pool as it was"
    score_pool.run(settings, jobs.quiet, "serious", 1, part=1)  # asked for by newcomers, with what was there before
    assert scored_at(settings) == before
    score_pool.run(settings, jobs.quiet, **asked[1])
    assert scored_at(settings) > before
    assert Catalog(settings.catalog_address).feature_parts("serious", 1) == ["part-00000.parquet", "part-00001.parquet"]
    assert len(values(settings, "serious")) == 9


def scored_at(settings: Settings) -> Any:
    with reading(settings) as session:
        return session.query(Version).one().scored_at


def test_a_catalog_elsewhere_holds_the_values_too(tmp_path: Path) -> None:
    made = worlds.make(tmp_path / "workspace", catalog_url=f"memory://{tmp_path.name}")
    worlds.add_run(made)
    worlds.add_assets(made, 5)
    promote(made, Move("serious", 1, "r", "ana"))
    score_pool.run(made, jobs.quiet, "serious", 1)
    assert len(values(made, "serious")) == 5


def test_what_is_not_published_or_not_scored_is_told(settings: Settings) -> None:
    with pytest.raises(UnknownProbe, match="attune probes promote serious 1 --reason R"):
        score_pool.run(settings, jobs.quiet, "serious", 1)
    promote(settings, Move("serious", 1, "r", "ana"))
    with pytest.raises(UnknownProbe, match="has no feature values yet"):
        values(settings, "serious")


def test_the_publish_job_promotes_once_however_often_it_runs(settings: Settings) -> None:
    from attune.labeler.catalog.alias_history import history
    from attune.models.clock import iso

    worlds.add_assets(settings, 3)
    asked = iso(now())
    for _ in range(2):
        done = jobs.run_here(settings, "publish", attribute="serious", version=2, reason="r", who="ana", asked_at=asked)
    assert len(history(settings, "serious")) == 1
    assert done["scores"]["assets"] == 3
    assert len(values(settings, "serious")) == 3
