"""The embed job can be killed, repeated and split; what vanished is named and the rest goes on."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import loaded_encoder
from attune.labeler.assets.engine_batches import encoded_in_batches
from attune.labeler.demo import prepare
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Encoder
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.engines import embedding
from attune.models.engines.ray_data import Share
from attune.models.engines.table_errors import Work
from attune.models.files.atomic import digest_bytes
from attune.models.images.decode import decode
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed
from tests.support import engines
from tests.support.factories import picture, workspace


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A workspace of ten recorded assets, none of them embedded, and batches of four."""
    encoder = prepare.encoder_settings() | {"device": "cpu", "embed_batch": 4}
    made = workspace(tmp_path / "workspace", redis_port=1, **encoder)
    for number in range(10):
        add(made, f"{number}.jpg", picture(number))
    yield made
    engine(made.records_url).dispose()


def add(settings: Settings, name: str, content: bytes) -> int:
    path = settings.workspace / name
    path.write_bytes(content)
    digest = digest_bytes(content)
    with writing(settings) as session:
        asset = Asset(asset_id=name, title_id=name, uri=str(path), digest=digest, width=1, height=1, added_at=now())
        session.add(asset)
        session.flush()
        return asset.id


def stored(settings: Settings) -> dict[str, np.ndarray]:
    store = VectorStore(settings.vectors)
    [fingerprint] = store.fingerprints()
    read = store.read(fingerprint)
    return dict(zip(read.ids.tolist(), np.concatenate(read.blocks), strict=True))


def test_every_asset_gets_the_vector_of_its_own_image(settings: Settings) -> None:
    reports: list[tuple[int, int]] = []
    result = embed.run(settings, lambda done, total: reports.append((done, total)))
    assert result == {"embedded": 10, "copied": 0, "left_out": []}
    assert reports == [(4, 10), (8, 10), (10, 10)]
    found = stored(settings)
    expected = loaded_encoder(settings).encode_images([decode(picture(n), "x") for n in range(10)])
    for number in range(10):
        assert float(found[f"{number}.jpg"].astype(np.float32) @ expected[number]) > 0.999
    with reading(settings) as session:
        assert session.scalars(select(Encoder)).one().active


def test_again_it_does_nothing(settings: Settings) -> None:
    embed.run(settings)
    before = stored(settings)
    assert embed.run(settings)["embedded"] == 0
    assert stored(settings).keys() == before.keys()


def test_chunks_do_their_own_part_and_together_all(settings: Settings) -> None:
    with reading(settings) as session:
        keys = list(session.scalars(select(Asset.id).order_by(Asset.id)))
    assert jobs.run_here(settings, "embed", batch=keys[:3])["embedded"] == 3
    assert jobs.run_here(settings, "embed", batch=keys[2:])["embedded"] == 7
    assert len(stored(settings)) == 10


def test_stopped_in_the_middle_it_goes_on_from_there(settings: Settings) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 8:
            raise Stop

    with pytest.raises(Stop):
        embed.run(settings, stop)
    assert len(stored(settings)) == 8
    assert embed.run(settings)["embedded"] == 2


def test_what_vanished_changed_or_broke_is_named_and_left_out(settings: Settings) -> None:
    (settings.workspace / "2.jpg").unlink()
    (settings.workspace / "5.jpg").write_bytes(picture(77))
    result = embed.run(settings)
    assert result["embedded"] == 8
    assert [(item["item"], item["reason"]) for item in result["left_out"]] == [
        ("2.jpg", "missing"),
        ("5.jpg", "changed since it was added"),
    ]
    assert set(stored(settings)) == {f"{n}.jpg" for n in range(10)} - {"2.jpg", "5.jpg"}


def test_one_image_under_two_ids_is_computed_once(settings: Settings) -> None:
    add(settings, "copy of 3.jpg", picture(3))
    assert embed.run(settings) == {"embedded": 10, "copied": 1, "left_out": []}
    add(settings, "another of 3.jpg", picture(3))
    assert embed.run(settings) == {"embedded": 0, "copied": 1, "left_out": []}
    found = stored(settings)
    assert np.array_equal(found["3.jpg"], found["another of 3.jpg"])


def test_a_removed_asset_is_not_embedded(settings: Settings) -> None:
    with writing(settings) as session:
        session.scalars(select(Asset).where(Asset.asset_id == "1.jpg")).one().removed_at = now()
    assert embed.run(settings)["embedded"] == 9


def test_what_ray_maps_gives_the_same_vectors_and_is_told_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    def map_here(make: Callable[[], Work], tables: Iterable[pa.Table], share: Share) -> Iterator[pa.Table]:
        kept = list(tables)
        sent.append(pickle.dumps((make, kept)))
        return engines.map_here(make, kept, share)

    monkeypatch.setattr(embedding, "map_tables", map_here)
    (settings.workspace / "3.jpg").unlink()
    (settings.workspace / "6.jpg").write_bytes(picture(60))
    known = replace(settings, label_studio_token="secret-token", database_url="postgresql://u:secret-word@h/db")
    with reading(settings) as session:
        places = embed.places(list(session.scalars(select(Asset).order_by(Asset.id))))
    encoder = loaded_encoder(settings)
    ours, by_ray = (
        list(encoded_in_batches(replace(known, engine=name), encoder, places)) for name in ("workers", "ray")
    )
    assert [id_ for one in by_ray for id_ in one.ids] == [id_ for one in ours for id_ in one.ids]
    np.testing.assert_array_equal(*(np.concatenate([one.vectors for one in each]) for each in (ours, by_ray)))
    left_out = [item for one in by_ray for item in one.left_out]
    assert left_out == [item for one in ours for item in one.left_out]
    assert [item["reason"] for item in left_out] == ["missing", "changed since it was added"]
    assert by_ray[-1].done == 10
    assert b"9.jpg" in sent[0]
    assert b"secret-" not in sent[0]
