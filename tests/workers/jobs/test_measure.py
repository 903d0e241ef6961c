"""Measured features of a pool: resumable to the image, a broken image stops nothing, and what leaves the pool goes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler.assets import engine_batches
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.remove import remove
from attune.labeler.cli.main import attune
from attune.labeler.insights import features
from attune.labeler.measured.values import coverage, folder, measured, values_of
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.engines import embedding
from attune.models.engines.ray_data import Share
from attune.models.engines.table_errors import Work
from attune.models.errors import EncoderError
from attune.models.measured import face_detector, measures
from attune.models.measured.measures import NAMES
from attune.workers.jobs import measure
from tests.support import engines

COUNT, BROKEN = 10, 3


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Settings]:
    """Ten images, one of which has vanished since."""
    with engines.one_image_gone(tmp_path, COUNT, BROKEN) as settings:
        yield settings


def test_a_killed_job_goes_on_where_it_was_and_names_what_it_left_out(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(measure, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        measure.run(pool, killed)
    before, _ = coverage(pool)
    assert before == 3, "two batches of two, one image is broken"
    read: list[str] = []
    read_place = engine_batches.read_place

    def watched(reach: Reach, id_: str, uri: str, digest: str) -> bytes:
        read.append(id_)
        return read_place(reach, id_, uri, digest)

    monkeypatch.setattr(engine_batches, "read_place", watched)
    done = measure.run(pool)
    assert done["measured"] == COUNT - 1 - before
    assert len(read) == COUNT - before, "what was measured is read no more"
    assert [item["reason"] for item in done["left_out"]] == ["missing"]
    assert coverage(pool) == (COUNT - 1, COUNT)
    assert measure.run(pool)["measured"] == 0


def test_what_ray_maps_measures_the_same(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    engines.without_ray(monkeypatch)
    found = measure.run(replace(pool, engine="ray"))
    by_ray = values_of(pool).read().to_pandas()
    shutil.rmtree(folder(pool))
    assert measure.run(pool) == found
    assert values_of(pool).read().to_pandas().equals(by_ray)


def test_values_of_a_machine_that_measures_otherwise_are_not_kept(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(make: Callable[[], Work], tables: Iterable[pa.Table], share: Share) -> list[pa.Table]:
        with monkeypatch.context() as newer:
            newer.setattr(measures, "MADE_BY", measures.MADE_BY + 1)
            return list(engines.map_here(make, tables, share))

    monkeypatch.setattr(embedding, "map_tables", elsewhere)
    with pytest.raises(EncoderError, match="another version"):
        measure.run(replace(pool, engine="ray"))
    assert coverage(pool) == (0, COUNT)


def test_what_is_measured_can_be_asked_about_and_leaves_with_its_image(pool: Settings) -> None:
    assert not [one for one in features.known(pool).values() if one.kind == "measured"]
    measure.run(pool)
    known = features.known(pool)
    assert {one.name for one in known.values() if one.kind == "measured"} == set(NAMES)
    assert known["faces"].classes == ("0", "1", "2", "3+")
    one = measured(pool, "brightness")
    assert features.contrast_of(known["brightness"], "") == features.PER_SD
    given = features.values(pool, known["brightness"], reading_ids(pool))
    assert given[0] == pytest.approx(one.values[0])
    digest = known["brightness"].digest
    remove(pool, [one.ids[0]])
    assert one.ids[0] not in values_of(pool).known(), "its values are gone"
    assert features.known(pool)["brightness"].digest != digest, "an insight from before is stale"


def test_what_was_measured_is_read_without_the_detector(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    measure.run(pool)
    digest = features.known(pool)["brightness"].digest
    monkeypatch.setattr(face_detector, "PACKAGE", "no_such_package")
    assert features.known(pool)["brightness"].digest == digest
    assert len(measured(pool, "faces").ids) == COUNT - 1


def reading_ids(settings: Settings) -> object:
    import numpy as np

    with reading(settings) as session:
        return np.array(session.scalars(select(Asset.asset_id).order_by(Asset.id)).all(), object)


def test_the_commands_show_and_write_a_feature(pool: Settings, tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(attune, ["features", *arguments, "--workspace", str(pool.workspace)])
        assert done.exit_code == 0, done.output
        return done.output

    assert "attune features measure" in said("show", "faces")
    measure.run(pool)
    assert f"faces: {COUNT - 1} images of {COUNT} measured" in " ".join(said("show", "faces").split())
    told = json.loads(said("show", "brightness", "--json"))
    assert [word for word, _ in told["rows"]] == ["least", "10 %", "middle", "90 %", "most"]
    assert "brightness" in said("list")
    said("show", "main_colour", "--to", str(tmp_path / "colours.parquet"))
    table = pq.read_table(tmp_path / "colours.parquet")
    assert table.column_names == ["asset_id", "title_id", "feature", "version", "value", "unit", "class"]
    assert table.num_rows == COUNT - 1
    assert None not in table["class"].to_pylist()
    wrong = CliRunner().invoke(attune, ["features", "show", "facs", "--workspace", str(pool.workspace)])
    assert "Measured features: brightness" in str(wrong.exception)
