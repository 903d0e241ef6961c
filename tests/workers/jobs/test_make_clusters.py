"""Clusters of a workspace: saved, made again without renaming anything, within one another, compared and exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.explore import clusters as explored
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Clustering
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members, spaces
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.compared import compare
from attune.labeler.spaces.exported import export
from attune.labeler.spaces.words import changed
from attune.labeler.views.explore import ExploreRequest, Place, explore
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EmptyPool
from attune.models.vectors.pool import unit_length
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import make_clusters
from tests.support import factories

DIM, GROUPS = 24, 4


@pytest.fixture
def pool(tmp_path: Path) -> Settings:
    """Eighty assets in four far groups of ready-made vectors."""
    settings = factories.workspace(tmp_path)
    add(settings, 80)
    return settings


def add(settings: Settings, count: int) -> None:
    """More assets of the same groups."""
    assets = factories.add_assets(settings, count)
    rng = np.random.default_rng(assets[0].id)
    rows = np.eye(DIM)[np.arange(count) % GROUPS] + rng.normal(size=(count, DIM), scale=0.1)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, DIM)
    VectorStore(settings.vectors).append(made, [one.asset_id for one in assets], unit_length(rows))
    with writing(settings) as session:
        activate(session, made)


def saved(settings: Settings, done: dict[str, int]) -> Saved:
    with reading(settings) as session:
        return clusterings.find(session, done["clustering"])


def numbers(one: Saved) -> list[int]:
    return [cluster.number for cluster in one.clusters]


def test_every_image_is_in_one_cluster_and_the_largest_comes_first(pool: Settings) -> None:
    assert explored.load(pool) is None
    done = make_clusters.run(pool, k=4)
    assert (done["clusters"], done["assets"]) == (4, 80)
    held = explored.load(pool)
    assert held is not None
    parts = [explored.part(pool, one.number) for one in held.parts]
    keys = [key for _, members in parts for key in members.tolist()]
    assert len(keys) == len(set(keys)) == 80
    assert [part.size for part, _ in parts] == [len(members) for _, members in parts]
    typical, first = held.parts[0].asset_ids, parts[0][1].tolist()
    with reading(pool) as session:
        names = explored.names_of(session, first)
    assert typical == [names[key] for key in first[: len(typical)]]
    assert not any(part.loose for part in held.parts)
    with pytest.raises(DataError, match="no cluster 9"):
        explored.part(pool, 9)


def test_the_same_seed_writes_the_same_file_whatever_came_between(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=4, seed=5))
    make_clusters.run(pool, k=7, seed=1)
    again = saved(pool, make_clusters.run(pool, k=4, seed=5))
    assert first.row.file == again.row.file
    path = pool.workspace / "clusters" / f"{first.row.file}.arrow"
    content = path.read_bytes()
    path.unlink()
    make_clusters.run(pool, k=4, seed=5)
    assert path.read_bytes() == content


def test_numbers_and_names_live_on_and_are_never_given_again(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=4))
    assert numbers(first) == [1, 2, 3, 4]
    assert clusterings.rename(pool, first.row.id, 3, "  Faces   in the dark ") == ""
    of_three = set(members.load(pool, first.row.file).of(first.cluster(3).place).tolist())
    add(pool, 41)
    second = saved(pool, make_clusters.run(pool, k=4))
    assert sorted(numbers(second)) == [1, 2, 3, 4]
    kept = second.cluster(3)
    assert kept.name == "Faces in the dark"
    assert of_three <= set(members.load(pool, second.row.file).of(kept.place).tolist())
    coarse = saved(pool, make_clusters.run(pool, k=2))
    gone = set(coarse.row.changes["died"])
    fine = saved(pool, make_clusters.run(pool, k=4))
    assert gone
    assert not gone & set(numbers(fine))
    assert min(fine.row.changes["born"]) > 4


def test_a_lost_file_of_an_older_clustering_stops_no_new_one(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=4))
    clusterings.rename(pool, first.row.id, 2, "Blue")
    clusterings.take_note(pool, first.row.id, 2, "All at dusk.")
    coarse = saved(pool, make_clusters.run(pool, k=2))
    (pool.workspace / "clusters" / f"{coarse.row.file}.arrow").unlink()
    third = saved(pool, make_clusters.run(pool, k=4, seed=3))
    assert (third.row.before_id, third.row.changes["lost"]) == (first.row.id, [coarse.row.id])
    assert (third.cluster(2).name, third.cluster(2).note) == ("Blue", "All at dusk.")
    assert f"The file of clustering {coarse.row.id} is gone" in changed(third.row.changes)[0]
    for file in (pool.workspace / "clusters").iterdir():
        file.unlink()
    last = saved(pool, make_clusters.run(pool, k=5))
    highest = max(number for one in (first, coarse, third) for number in numbers(one))
    assert min(numbers(last)) > highest, "a number never means two clusters"


def test_a_damaged_file_is_told_and_the_command_that_it_names_mends_it(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=4))
    file = pool.workspace / "clusters" / f"{first.row.file}.arrow"
    whole = file.read_bytes()
    for broken in (b"", whole[: len(whole) // 2]):
        file.write_bytes(broken)
        with pytest.raises(DataError, match=r"is damaged.*attune clusters make"):
            members.load(pool, first.row.file)
        again = saved(pool, make_clusters.run(pool, k=4))
        assert file.read_bytes() == whole, "the same clusters have the same file, which is whole again"
        assert numbers(again) == numbers(first)
    file.write_bytes(b"")
    other = saved(pool, make_clusters.run(pool, k=3))
    assert len(other.row.changes["lost"]) == 3, "other clusters are made, too"


def test_each_cluster_knows_the_nearest_others(pool: Settings) -> None:
    made = saved(pool, make_clusters.run(pool, k=4))
    assert all(set(one.near) == set(numbers(made)) - {one.number} for one in made.clusters)


def test_files_of_before_are_read_without_their_order(pool: Settings) -> None:
    made = saved(pool, make_clusters.run(pool, k=4))
    held = members.load(pool, made.row.file)
    old = members.Members(held.keys, held.places, held.cosines)
    assert [old.of(place).tolist() for place in range(5)] == [held.of(place).tolist() for place in range(5)]
    falling = held.cosines[held.rows(0)].astype(float)
    assert (np.diff(falling) <= 0).all()


def test_a_new_name_stands_in_every_clustering_that_has_the_number(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=4))
    second = saved(pool, make_clusters.run(pool, k=4))
    clusterings.rename(pool, first.row.id, 2, "Blue")
    assert saved(pool, {"clustering": second.row.id}).cluster(2).name == "Blue"
    with pytest.raises(DataError, match="at most 80"):
        clusterings.rename(pool, first.row.id, 2, "x" * 81)


def test_sub_clusters_are_of_one_cluster_and_have_numbers_of_their_own(pool: Settings) -> None:
    first = saved(pool, make_clusters.run(pool, k=2))
    inside = make_clusters.run(pool, k=2, within=f"{first.row.id}:1")
    assert inside["assets"] == first.cluster(1).size
    assert numbers(saved(pool, inside)) == [1, 2]
    held = explored.load(pool)
    assert held is not None
    assert held.clustering == first.row.id  # the page goes on to show the whole pool
    again = saved(pool, make_clusters.run(pool, k=2))
    later = saved(pool, make_clusters.run(pool, k=2, within=f"{again.row.id}:1"))
    assert later.row.before_id == inside["clustering"]
    for wrong in ("1", "0:1", "9:1", f"{first.row.id}:9", "1:1:1"):
        with pytest.raises(DataError):
            make_clusters.run(pool, k=2, within=wrong)


def test_fewer_clusters_than_asked_are_told(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    ids = [asset.asset_id for asset in factories.add_assets(settings, 12)]
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 3)
    VectorStore(settings.vectors).append(made, ids, np.eye(3, dtype=np.float32)[np.arange(12) % 3])
    with writing(settings) as session:
        activate(session, made)
    assert make_clusters.run(settings, k=6) | {"clustering": 0} == {
        "clustering": 0,
        "clusters": 3,
        "asked": 6,
        "assets": 12,
    }


def test_without_a_number_the_most_stable_one_is_made(pool: Settings) -> None:
    add(pool, 80)
    done = make_clusters.run(pool)
    row = saved(pool, done).row
    assert str(row.k) in row.agreement
    assert row.agreement[str(row.k)] == max(row.agreement.values())


def test_a_removed_asset_is_in_no_list_and_in_no_new_cluster(pool: Settings) -> None:
    make_clusters.run(pool, k=4)
    with writing(pool) as session:
        asset = session.scalars(select(Asset).limit(1)).one()
        asset.removed_at = now()
    owner = Viewer("owner", "anna")
    pages = [explore(pool, owner, ExploreRequest(Place("cluster", str(number)))) for number in range(1, 5)]
    assert sum(page.pictures.total for page in pages) == 79
    shown = [image.asset_id for page in pages for image in page.pictures.items]
    assert len(shown) == len(set(shown)) == 79
    assert asset.asset_id not in shown
    assert make_clusters.run(pool, k=4)["assets"] == 79


def test_two_clusterings_are_compared_and_one_is_exported(pool: Settings, tmp_path: Path) -> None:
    coarse, fine = (make_clusters.run(pool, k=k)["clustering"] for k in (2, 4))
    same = compare(pool, fine, fine)
    assert same.agreement == 1
    assert all(one.same == one.number and one.overlap == 1 for one in same.clusters)
    beside = compare(pool, coarse, fine)
    assert 0 < beside.agreement < 1
    assert beside.images == 80
    assert all(sum(share for _, share in one.to) == pytest.approx(1) for one in beside.clusters)
    assert export(pool, fine, tmp_path / "c.parquet") == 80
    table = pq.read_table(tmp_path / "c.parquet")
    assert sorted(set(table["cluster"].to_pylist())) == sorted(numbers(saved(pool, {"clustering": fine})))
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        export(pool, fine, tmp_path / "c.txt")


def test_a_space_without_vectors_is_told_with_the_command(pool: Settings) -> None:
    with pytest.raises(EmptyPool, match="attune spaces layers colour"):
        make_clusters.run(pool, k=2, space="colour")
    with pytest.raises(DataError, match="attune spaces list"):
        make_clusters.run(pool, k=2, space="layers")
    with reading(pool) as session:
        assert session.scalars(select(Clustering)).all() == []


def test_the_space_is_measured_on_the_way(pool: Settings) -> None:
    add(pool, 80)
    make_clusters.run(pool, k=4)
    (final,) = spaces.listed(pool)
    assert (final.name, final.images, final.dimension) == ("final", 160, DIM)
    assert final.measures["two_nn"] > 1
