"""The job `map`: made once, filled without moving anyone, gone on with after a kill, exported with neighbours."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sqlalchemy import delete, select

from attune.labeler.jobs import jobs
from attune.labeler.maps import exported, layouts, positions
from attune.labeler.maps.positions import Positions
from attune.labeler.records.schema import Asset, Job, Layout
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, EmptyPool
from attune.models.files.atomic import digest_bytes
from attune.models.maps import layout as plane
from attune.models.maps.placing import Landmarks
from attune.workers.jobs import make_map
from attune.workers.runtime import map_newcomers
from tests.support import factories, mapped


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = factories.workspace(tmp_path)
    mapped.quick(monkeypatch)
    return settings


def held(settings: Settings) -> tuple[Layout, Positions]:
    with reading(settings) as session:
        row = layouts.needed(session)
    return row, positions.load(settings, row.file or "")


def test_a_map_is_made_once_and_newcomers_move_nobody(pool: Settings) -> None:
    first = mapped.add(pool, 40)
    told: list[tuple[int, int]] = []
    done = make_map.run(pool, lambda *step: told.append(step), who="olga")
    assert (done["images"], done["placed"], done["landmarks"]) == (40, 40, 40)
    assert told[-1][0] == told[-1][1], "the bar ends full"
    row, before = held(pool)
    assert (row.made_by, before.keys.tolist()) == ("olga", [one.id for one in first])
    assert make_map.run(pool)["placed"] == 0
    assert held(pool)[0].file == row.file, "a second time changes nothing"

    later = mapped.add(pool, 15, seed=8)
    assert make_map.run(pool)["placed"] == 15
    again, after = held(pool)
    assert (again.id, again.images) == (row.id, 55)
    assert np.array_equal(after.places[np.isin(after.keys, before.keys)], before.places)
    assert set(after.keys.tolist()) == {one.id for one in first + later}


def test_a_killed_job_goes_on_where_it_was(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped.add(pool, 30)
    monkeypatch.setattr(make_map, "AT_ONCE", 4)
    monkeypatch.setattr(make_map, "SAVED_EVERY", 8)
    place, calls = Landmarks.place, [0]

    def killed(self: Landmarks, *arguments: object) -> object:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return place(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Landmarks, "place", killed)
    with pytest.raises(KeyboardInterrupt):
        make_map.run(pool)
    row, some = held(pool)
    assert len(some.keys) == 8
    monkeypatch.setattr(Landmarks, "place", place)
    made = plane.make
    monkeypatch.setattr(plane, "make", lambda *_: pytest.fail("the layout is there already"))
    assert make_map.run(pool)["placed"] == 22
    _, whole = held(pool)
    monkeypatch.setattr(plane, "make", made)
    assert make_map.run(pool, anew=True)["map"] != row.id
    assert np.array_equal(held(pool)[1].places, whole.places), "the map is the one of a job that nobody killed"


def test_two_jobs_that_add_at_once_lose_nothing(pool: Settings) -> None:
    assets = mapped.add(pool, 12)
    make_map.run(pool)
    row, before = held(pool)
    keys = np.array([assets[-1].id + 1, assets[-1].id + 2], dtype=np.int64)
    layouts.add(pool, row.id, keys[:1], np.array([[7, 8]], dtype=np.uint16))
    layouts.add(pool, row.id, keys, np.array([[1, 2], [3, 4]], dtype=np.uint16))
    after = held(pool)[1]
    assert len(after.keys) == len(before.keys) + 2
    assert after.places[-2:].tolist() == [[7, 8], [3, 4]], "who is there stays"


def test_a_damaged_file_is_told_and_the_command_that_it_names_mends_it(pool: Settings) -> None:
    mapped.add(pool, 12)
    make_map.run(pool)
    row, before = held(pool)
    file = pool.workspace / "maps" / f"{row.file}.arrow"
    file.write_bytes(file.read_bytes()[:40])
    positions._read.cache_clear()
    with pytest.raises(DataError, match=r"is damaged.*attune map make --anew"):
        held(pool)
    make_map.run(pool, anew=True)
    assert held(pool)[1].places.tolist() == before.places.tolist()


def test_no_vectors_and_no_space_say_what_to_do(pool: Settings) -> None:
    with pytest.raises(EmptyPool, match="attune"):
        make_map.run(pool)
    with pytest.raises(DataError, match="attune spaces list"):
        make_map.run(pool, space="blue")
    mapped.add(pool, 5)
    with reading(pool) as session, pytest.raises(DataError, match="attune map make --space final"):
        layouts.needed(session)


def test_newcomers_are_asked_for_once_they_have_vectors(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    mapped.add(pool, 10)
    assert map_newcomers.ask(pool) == {"maps": 0}, "nobody asked for a map"
    make_map.run(pool)
    assert map_newcomers.ask(pool) == {"maps": 0}
    waiting = factories.add_assets(pool, 2)
    with writing(pool) as session:
        session.add(Job(id="embed-1", kind="embed", arguments={}, state="running", created_at=now()))
    assert map_newcomers.ask(pool) == {"maps": 0}, "they have no vectors yet"
    with writing(pool) as session:
        session.get_one(Job, "embed-1").state = "done"
    mapped.embed(pool, waiting, seed=5)
    assert map_newcomers.ask(pool) == {"maps": 1}
    assert map_newcomers.ask(pool) == {"maps": 0}, "one job at a time"
    with writing(pool) as session:
        session.scalars(select(Job).where(Job.kind == "map")).one().state = "done"
    assert make_map.run(pool)["placed"] == 2
    assert map_newcomers.ask(pool) == {"maps": 0}


def test_a_broken_map_is_left_alone_for_an_hour(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    mapped.add(pool, 10)
    make_map.run(pool)
    mapped.add(pool, 1, seed=5)
    with writing(pool) as session:
        session.add(Job(id="map-1", kind="map", arguments={}, state="failed", created_at=now()))
    assert map_newcomers.ask(pool) == {"maps": 0}
    with writing(pool) as session:
        session.get_one(Job, "map-1").created_at -= timedelta(hours=2)
        file = session.scalars(select(Layout.file)).one()
    assert map_newcomers.ask(pool) == {"maps": 1}
    with writing(pool) as session:
        session.execute(delete(Job))
    mapped.add(pool, 1, seed=6)
    next((pool.workspace / "maps").glob(f"{file}*")).unlink()
    positions._read.cache_clear()
    assert map_newcomers.ask(pool) == {"maps": 0}, "and the other steps of the beat go on"


def test_an_image_that_gets_its_vector_after_later_ones_is_asked_for_too(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    mapped.add(pool, 10)
    make_map.run(pool)
    slow = factories.add_assets(pool, 2)
    mapped.add(pool, 3, seed=5)
    assert make_map.run(pool)["placed"] == 3, "the newest of all has its place"
    assert map_newcomers.ask(pool) == {"maps": 0}, "nobody can place what has no vector, so nobody is asked to"
    mapped.embed(pool, slow[:1], seed=6)
    with reading(pool) as session:
        assert layouts.waiting(pool, session, layouts.needed(session)) == 1
    assert map_newcomers.ask(pool) == {"maps": 1}
    assert make_map.run(pool)["placed"] == 1


def test_the_export_has_what_embedding_atlas_reads(pool: Settings, tmp_path: Path) -> None:
    assets = mapped.add(pool, 24)
    with writing(pool) as session:
        for one in session.scalars(select(Asset)):
            one.columns = {"genre": "noir", "x": 3, "column_x": "own", "X": "large"}
        session.scalars(select(Asset).where(Asset.id == assets[5].id)).one().removed_at = now()
    make_map.run(pool)
    with pytest.raises(DataError, match=r"ends in \.parquet"):
        exported.export(pool, tmp_path / "map.csv")
    Path(assets[1].uri).parent.mkdir(parents=True, exist_ok=True)
    Path(assets[1].uri).write_bytes(factories.picture(1))
    with writing(pool) as session:
        session.get_one(Asset, assets[1].id).digest = digest_bytes(factories.picture(1))
    assert exported.export(pool, tmp_path / "map.parquet") == 23
    plain = pq.read_table(tmp_path / "map.parquet")
    assert exported.export(pool, tmp_path / "shown.parquet", images=True) == 23
    shown = pq.read_table(tmp_path / "shown.parquet")
    assert shown.drop_columns(["image"]).equals(plain)
    small = shown["image"].to_pylist()
    assert Image.open(BytesIO(small[1]["bytes"])).format == "JPEG"
    assert small[0] is None, "its file is gone"
    rows = plain.to_pylist()
    assert [one["id"] for one in rows] == [one.asset_id for one in assets if one is not assets[5]]
    assert all(0 <= one["x"] <= 1 and 0 <= one["y"] <= 1 for one in rows)
    own = {name: rows[0][name] for name in rows[0] if rows[0][name] in ("noir", "3", "own", "large")}
    assert sorted(own.values()) == ["3", "large", "noir", "own"], "no column takes another's place"
    assert (own["genre"], own["column_x"]) == ("noir", "own")
    assert len({name.casefold() for name in rows[0]}) == len(rows[0]), "DuckDB takes X and x for one name"
    for number, one in enumerate(rows):
        ids, distances = one["neighbors"]["ids"], one["neighbors"]["distances"]
        assert len(ids) == len(distances) == 15
        assert number not in ids
        assert max(ids) < 23
        assert distances == sorted(distances)
        assert 0 < distances[0] < 2, "as of unit vectors"
