"""Bulk work on Ray Data gives what our own workers give. Ray starts once for all of it: that takes the longest."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from attune.labeler.assets import active_encoder
from attune.labeler.assets.engine_batches import encoded_in_batches
from attune.labeler.demo import prepare
from attune.labeler.measured.values import values_of
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.engines import assigning, embedding, ray_data, scoring
from attune.models.engines.ray_data import Work, map_tables
from attune.models.errors import DataError, ExtraNotInstalled, JobError
from attune.models.measured.measures import Measurer
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed, measure
from tests.support import factories

PROBE = Path(__file__).parents[2] / "data" / "probe-v1" / "romance"
COUNT, BROKEN = 6, 2
# What Ray itself deprecates is its own.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """Ray on this machine, ended with the module."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    yield
    ray_data.stop()


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[tuple[Settings, Settings]]:
    """Two pools of the same images, of which one has vanished: for our own process, and for Ray."""
    made = []
    for name in ("workers", "ray"):
        settings = factories.workspace(
            tmp_path / name, redis_port=1, **prepare.encoder_settings() | {"device": "cpu", "embed_batch": 2}
        )
        assets = factories.add_assets(settings, COUNT, images=True)
        Path(assets[BROKEN].uri).unlink()
        made.append(replace(settings, engine=name))
    yield made[0], made[1]
    for settings in made:
        engine(settings.records_url).dispose()


def double(factor: int) -> Work:
    def work(table: pa.Table) -> pa.Table:
        if factor == 0:
            raise DataError("nothing to multiply by")
        if factor < 0:
            raise ValueError("below zero")
        return pa.table({"n": pa.array(np.asarray(table["n"]) * factor)})

    return work


def vectors(settings: Settings) -> tuple[list[str], np.ndarray]:
    store = VectorStore(settings.vectors)
    [fingerprint] = store.fingerprints()
    read = store.read(fingerprint)
    return read.ids.tolist(), np.concatenate(read.blocks)


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_tables_come_back_in_order_and_errors_by_their_own_words() -> None:
    tables = [pa.table({"n": [10 * number, 1]}) for number in range(7)]
    assert [table["n"].to_pylist() for table in map_tables(partial(double, 3), tables)] == [
        [30 * number, 3] for number in range(7)
    ]
    assert list(map_tables(partial(double, 3), [])) == []
    with pytest.raises(DataError, match="nothing to multiply by"):
        list(map_tables(partial(double, 0), tables))
    with pytest.raises(JobError, match="--engine workers"):
        list(map_tables(partial(double, -1), tables))


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_images_get_the_same_vectors_and_measures(pools: tuple[Settings, Settings]) -> None:
    ours, by_ray = (embed.run(settings) for settings in pools)
    assert (by_ray["embedded"], [item["reason"] for item in by_ray["left_out"]]) == (COUNT - 1, ["missing"])
    assert [item["item"] for item in ours["left_out"]] == [item["item"] for item in by_ray["left_out"]]
    (ids, expected), (found_ids, found) = (vectors(settings) for settings in pools)
    assert found_ids == ids
    assert ((found.astype(np.float32) * expected.astype(np.float32)).sum(axis=1) > 0.9999).all()
    assert embed.run(pools[1])["embedded"] == 0, "what is done is not done again"
    results = [measure.run(settings) for settings in pools]
    assert results[0]["measured"] == results[1]["measured"] == COUNT - 1
    tables = [values_of(settings, Measurer()).read() for settings in pools]
    assert tables[0].equals(tables[1])


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_vectors_get_the_same_scores_and_clusters() -> None:
    manifest = read_manifest((PROBE / "manifest.json").read_bytes())
    scorer = scoring.Scorer(manifest, read_probe((PROBE / FILE_NAME).read_bytes()), datetime(2026, 1, 1, tzinfo=UTC))
    x = np.random.default_rng(0).normal(size=(900, scorer.probe.dimension)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids, titles = (pa.array([f"{name}{row}" for row in range(900)]) for name in "at")
    batches = [(ids[at : at + 300], titles[at : at + 300], x[at : at + 300]) for at in (0, 300, 600)]
    ours, by_ray = (pa.Table.from_batches(scoring.scored(name, scorer, batches)) for name in ("workers", "ray"))
    assert by_ray.schema.equals(ours.schema, check_metadata=True)
    exact = [name for name in ours.column_names if name not in {"logit", "probability"}]
    assert by_ray.select(exact).equals(ours.select(exact))
    for name in ("logit", "probability"):
        np.testing.assert_allclose(by_ray[name].to_numpy(), ours[name].to_numpy(), atol=1e-6)
    centres = x[:5]
    np.testing.assert_array_equal(assigning.assigned("ray", x, centres), assigning.assigned("workers", x, centres))


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExtraNotInstalled, match="extra 'ray'"):
        list(map_tables(partial(double, 1), [pa.table({"n": [1]})]))


def test_no_secret_goes_to_a_machine_of_ray(pools: tuple[Settings, Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(embedding, "map_tables", lambda make, tables, share: sent.append((make, list(tables))) or ())
    settings = replace(pools[1], label_studio_token="secret-token", database_url="postgresql://u:secret-word@h/db")
    loaded = active_encoder.load(settings)
    list(encoded_in_batches(settings, loaded, [embedding.Place("a", "/a.jpg", "00")]))
    content = pickle.dumps(sent)
    assert b"a.jpg" in content
    assert b"secret-" not in content
