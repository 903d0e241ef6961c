"""Clusters and maps of taste: made in a version, never moved into another, and honest about what it learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, select

from attune.labeler.jobs import jobs
from attune.labeler.maps import exported, layouts, positions
from attune.labeler.records.schema import Asset, Description, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members, origins, space_moves, spaces
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.description_words import figures
from attune.labeler.spaces.origins import Origin
from attune.models.errors import DataError, UnknownProbe
from attune.workers.jobs import compute_spaces, describe_clusters, make_clusters, make_map
from attune.workers.runtime import map_newcomers
from tests.support import factories, mapped, tasted

GROUPS = 4


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Eighty assets in four groups; a column says in which half of the groups each is, another is a coin."""
    settings = factories.workspace(tmp_path)
    mapped.quick(monkeypatch)
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    mapped.add(settings, 80)
    with writing(settings) as session:
        for row, one in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            one.columns = {"genre": "ab"[row % GROUPS // 2], "half": "xy"[row % GROUPS // 2]}
    return settings


def saved(settings: Settings, clustering: int) -> tuple[Saved, Origin]:
    with reading(settings) as session:
        found = clusterings.find(session, clustering)
        return found, origins.of(session, [found.row])[clustering]


def make(settings: Settings, **more: object) -> int:
    made: int = make_clusters.run(settings, k=2, space="taste", **more)["clustering"]  # type: ignore[arg-type]
    return made


def test_without_a_version_in_use_it_says_how_to_get_one(pool: Settings) -> None:
    with pytest.raises(UnknownProbe, match="attune spaces learn taste --labels genre"):
        make(pool)
    with pytest.raises(UnknownProbe, match="attune spaces learn taste"):
        make_map.run(pool, space="taste")
    with pytest.raises(DataError, match="learned, not computed"):
        compute_spaces.run(pool, names=["taste"])
    assert [one.name for one in spaces.listed(pool)] == ["final"]


def test_a_clustering_names_its_version_and_stays_when_another_is_used(pool: Settings) -> None:
    tasted.register(pool, [0, 1])
    first = make(pool)
    one, origin = saved(pool, first)
    assert (origin.label, origin.note) == ("taste@1", "")
    before = members.load(pool, one.row.file)
    groups = [set((before.of(cluster.place) - before.keys[0]) % GROUPS) for cluster in one.clusters]
    assert {0, 1} <= set.union(*groups)
    assert not any({0, 1} <= group for group in groups), "the numbers that the version sees tell the clusters apart"
    assert tasted.register(pool, [2, 3], raw=0.3) == 2
    _, origin = saved(pool, first)
    assert (origin.version, origin.in_use, origin.older) == (1, 2, True)
    assert "version 1" in origin.note
    assert "Version 2 is in use" in origin.note
    second = make(pool)
    assert saved(pool, second)[1].label == "taste@2"
    assert np.array_equal(members.load(pool, one.row.file).places, before.places), "nobody was moved"
    rows = {row.name: (row.version, row.images) for row in spaces.listed(pool)}
    assert rows == {"final": (None, 80), "taste": (2, 80)}
    space_moves.rollback(pool, "taste", "it was better", "olga")
    assert [saved(pool, run)[1].older for run in (first, second)] == [False, True]


def test_a_column_that_taught_the_space_is_told_and_never_tested(pool: Settings) -> None:
    tasted.register(pool, [0, 1, 2, 3])
    run = make_clusters.run(pool, k=4, space="taste")["clustering"]
    inside = make_clusters.run(pool, k=2, space="final", within=f"{run}:1")["clustering"]
    for clustering in (run, inside):
        describe_clusters.run(pool, clustering=clustering)
    with reading(pool) as session:
        told = session.scalars(select(Description).where(Description.kind == "column")).all()
    taught = [one for one in told if one.name == "genre"]
    other = [one for one in told if one.name == "half"]
    assert taught
    assert other
    assert {(one.p, one.q, one.lo) for one in taught} == {(None, None, None)}
    assert all("learned from this column" in figures(one) for one in taught)
    assert all(one.q is not None and one.q <= 0.1 for one in other), "a column that it never saw is tested"
    make_clusters.run(pool, k=4)
    describe_clusters.run(pool, clustering=inside + 1)
    with reading(pool) as session:
        free = session.scalars(select(Description).where(Description.clustering_id == inside + 1)).all()
    assert {one.q is None for one in free if one.name == "genre"} == {False}


def test_a_map_of_taste_takes_newcomers_and_a_new_version_gets_one_of_its_own(pool: Settings, tmp_path: Path) -> None:
    tasted.register(pool, [0, 1], raw=0.4)
    make(pool)
    make_map.run(pool, space="taste")
    assert map_newcomers.ask(pool) == {"maps": 0}
    with reading(pool) as session:
        row = layouts.needed(session, "taste")
    before = positions.load(pool, row.file or "")
    mapped.add(pool, 3, seed=8)
    assert map_newcomers.ask(pool) == {"maps": 1}
    with writing(pool) as session:
        asked = session.scalars(select(Job).where(Job.kind == "map")).one()
        assert asked.arguments == {"space": "taste"}
        session.execute(delete(Job))
    assert make_map.run(pool, space="taste")["placed"] == 3
    with reading(pool) as session:
        after = positions.load(pool, layouts.needed(session, "taste").file or "")
    assert np.array_equal(after.places[np.isin(after.keys, before.keys)], before.places)
    exported.export(pool, tmp_path / "map.parquet", "taste")
    said = pq.read_schema(tmp_path / "map.parquet").metadata
    assert (said[b"attune.space"], said[b"attune.clustering_space"]) == (b"taste@1", b"taste@1")
    tasted.register(pool, [2, 3])
    with reading(pool) as session:
        assert layouts.latest(session, "taste") is None
        assert layouts.newest(session, "taste").id == row.id  # type: ignore[union-attr]
    assert map_newcomers.ask(pool) == {"maps": 0}, "the older map stays as it is"
    assert make_map.run(pool, space="taste")["map"] != row.id
