"""New assets against the pool that the champion was published on, over real vectors and a real catalog."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Job, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.clock import now
from attune.models.errors import UnknownProbe
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import score_pool, watch_drift
from attune.workers.runtime import new_assets
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import redis_url  # noqa: F401 - a fixture


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """``serious@1`` is the champion, published on 400 assets of 200 titles."""
    made = worlds.filled(tmp_path / "workspace")
    worlds.add_assets(made, 400)
    promote(made, Move("serious", 1, "r", "ana"))
    score_pool.run(made, jobs.quiet, "serious", 1)
    return made


def add_shifted(settings: Settings, count: int, first: int) -> None:
    """Assets that the champion finds far more serious than any before."""
    weight = read_probe(worlds.probe_of(settings, "serious", 1)).weight[0]
    x = np.random.default_rng(first).normal(size=(count, worlds.DIMENSION)) * 0.3 + weight / np.linalg.norm(weight)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    ids = [f"s{first + i}" for i in range(count)]
    with writing(settings) as session:
        for i, name in enumerate(ids):
            columns = {"width": 8, "height": 8, "columns": {}, "added_at": now(), "digest": f"{first + i:064x}"}
            session.add(Asset(asset_id=name, title_id=f"new{i}", uri=f"file:///{name}", **columns))
    VectorStore(settings.vectors).append(worlds.FINGERPRINT, ids, x)


def kept(settings: Settings) -> dict[str, Any]:
    with reading(settings) as session:
        return session.query(Version).one().scores


def look(settings: Settings) -> dict[str, Any]:
    return jobs.run_here(settings, "drift", attribute="serious", look=True)


def test_publication_keeps_the_distribution_and_scoring_again_leaves_it(settings: Settings) -> None:
    before = kept(settings)["baseline"]
    assert before["classes"]["serious"]["n"] == 400
    assert list(before["classes"]) == ["serious"]  # of two classes one score
    worlds.add_assets(settings, 50, first=400)
    score_pool.run(settings, jobs.quiet, "serious", 1)
    assert kept(settings)["baseline"] == before
    assert sum(kept(settings)["assets"].values()) == 450


def test_assets_like_the_old_ones_are_no_drift_and_strange_ones_are(settings: Settings) -> None:
    worlds.add_assets(settings, 200, first=400)
    calm = look(settings)
    assert (calm["n"], calm["titles"], calm["looks"], calm["alarm"]) == (200, 100, 1, None)
    (shift,) = calm["shifts"]
    assert shift["psi"] - shift["psi_by_chance"] < 0.1
    add_shifted(settings, 150, 1000)
    told = look(settings)
    assert told["alarm"]["classes"] == ["serious"]
    assert told["looks"] == 2
    assert kept(settings)["drift"]["alarm"] == told["alarm"]
    assert look(settings)["alarm"] == told["alarm"]  # and looking again without new assets counts no look
    assert kept(settings)["drift"]["looks"] == 2


def test_too_few_assets_or_titles_say_so_and_spend_no_look(settings: Settings) -> None:
    add_shifted(settings, 99, 1000)
    told = look(settings)
    assert (told["enough"], told["shifts"], told["looks"], told["alarm"]) == (False, [], 0, None)


def test_a_person_who_looks_spends_no_look_and_raises_no_alarm(settings: Settings) -> None:
    add_shifted(settings, 150, 1000)
    told = jobs.run_here(settings, "drift", attribute="serious")
    assert told["shifts"][0]["psi"] > 1
    assert (told["looks"], told["alarm"]) == (0, None)
    assert look(settings)["alarm"] is not None


def test_a_version_scored_before_baselines_were_kept_gets_one_from_the_assets_of_then(settings: Settings) -> None:
    with writing(settings) as session:
        row = session.query(Version).one()
        row.scores = {"parts": row.scores["parts"], "assets": row.scores["assets"]}
        row.scored_at = now()
    worlds.add_assets(settings, 120, first=400)
    told = look(settings)
    assert (told["published_on"], told["n"]) == (400, 120)


def test_without_a_champion_there_is_nothing_to_drift_from(settings: Settings) -> None:
    with pytest.raises(UnknownProbe, match="attune probes promote romance"):
        watch_drift.run(settings, jobs.quiet, "romance")


def test_the_schedule_asks_when_enough_has_come_and_not_at_every_beat(
    settings: Settings,
    redis_url: str,  # noqa: F811 - its value
) -> None:
    settings = replace(settings, redis_url=redis_url)
    nothing = {"scored": 0, "looked_at": 0}
    assert new_assets.ask(settings) == nothing
    worlds.add_assets(settings, 99, first=400)
    assert new_assets.ask(settings) == nothing  # scored a moment ago, and too few for a look
    with writing(settings) as session:
        session.query(Version).one().scored_at = now() - timedelta(minutes=11)
        embedding = Job(id="embed-1", kind="embed", arguments={}, state="running", created_at=now())
        session.add(embedding)
    assert new_assets.ask(settings) == nothing
    with writing(settings) as session:
        session.get_one(Job, "embed-1").state = "done"
    worlds.add_assets(settings, 21, first=499)
    assert new_assets.ask(settings) == {"scored": 1, "looked_at": 1}
    assert new_assets.ask(settings) == nothing  # both wait already
    with reading(settings) as session:
        asked = {job.kind: job.arguments for job in session.query(Job).where(Job.state == "queued")}
    assert asked["drift"] == {"attribute": "serious", "look": True}
    assert asked["score"] == {"attribute": "serious", "version": 1, "part": 0}
    for kind, arguments in asked.items():
        jobs.run_here(settings, kind, **arguments)
    with writing(settings) as session:
        for job in session.query(Job).where(Job.state == "queued"):
            job.state = "done"
        session.query(Version).one().scored_at = now() - timedelta(minutes=11)
    assert sum(kept(settings)["assets"].values()) == 520
    assert new_assets.ask(settings) == nothing
    worlds.add_assets(settings, 29, first=520)
    assert new_assets.ask(settings)["looked_at"] == 0
    worlds.add_assets(settings, 1, first=549)
    assert new_assets.ask(settings)["looked_at"] == 1  # a quarter more than at the last look
