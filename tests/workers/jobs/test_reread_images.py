"""After a newer reading only what it shows otherwise gets another vector, whenever the job is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from attune.labeler.assets import media
from attune.labeler.assets.active_encoder import loaded_encoder
from attune.labeler.demo import prepare
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import WeightsUnavailable
from attune.models.files.atomic import digest_bytes
from attune.models.images.decode import READING, decode
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed, reread_images, switch_encoder
from tests.support import images
from tests.support.factories import add_attribute, workspace
from tests.support.odd_images import SIZE, deep, iccp, rgb_png, rgb_profile, scene, tiff

FILES = {
    "plain.jpg": images.GOOD["plain.jpg"],
    "profile.png": rgb_png(iccp(rgb_profile())),
    "copy of profile.png": rgb_png(iccp(rgb_profile())),
    "negative.tif": tiff(deep(1)[..., 0], 0),
    "turned.tif": tiff(np.asarray(scene()), 2, tags={274: (3, [6])}),
}
MOVED = {"profile.png", "copy of profile.png", "negative.tif"}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A workspace as an older version left it: every vector is the plain picture's, every size is one by one."""
    encoder = prepare.encoder_settings() | {"device": "cpu", "embed_batch": 2}
    made = workspace(tmp_path / "workspace", redis_port=1, **encoder)
    for name, content in FILES.items():
        path = made.workspace / name
        path.write_bytes(content)
        with writing(made) as session:
            known = {"width": 1, "height": 1, "added_at": now(), "reading": 1, "columns": {}}
            digest = digest_bytes(content)
            session.add(Asset(asset_id=name, title_id=name, uri=str(path), digest=digest, **known))
    loaded = loaded_encoder(made)
    [old] = loaded.encode_images([decode(FILES["plain.jpg"], "plain.jpg")])
    VectorStore(made.vectors).append(loaded.fingerprint, list(FILES), np.stack([old] * len(FILES)))
    yield made
    engine(made.records_url).dispose()


def assets(settings: Settings) -> dict[str, Asset]:
    with reading(settings) as session:
        return {asset.asset_id: asset for asset in session.scalars(select(Asset))}


def vectors(settings: Settings) -> dict[str, np.ndarray]:
    store = VectorStore(settings.vectors)
    [fingerprint] = store.fingerprints()
    read = store.read(fingerprint)
    return dict(zip(read.ids.tolist(), np.concatenate(read.blocks).astype(np.float32), strict=True))


def test_only_what_looks_otherwise_is_embedded_again(settings: Settings) -> None:
    before = vectors(settings)
    assert jobs.run_here(settings, "reread") == {"looked_at": 5, "moved": 3, "left_out": []}
    after = vectors(settings)
    assert set(after) == set(FILES)
    names = sorted(MOVED)
    expected = loaded_encoder(settings).encode_images([decode(FILES[name], name) for name in names])
    for name, vector in zip(names, expected, strict=True):
        assert float(after[name] @ vector) > 0.999
    assert all(np.array_equal(before[name], after[name]) for name in FILES if name not in MOVED)
    rows = assets(settings)
    assert {row.reading for row in rows.values()} == {READING}
    assert {name for name, row in rows.items() if row.moved_at} == MOVED
    assert (rows["turned.tif"].width, rows["turned.tif"].height) == SIZE[::-1]
    assert jobs.run_here(settings, "reread") == {"looked_at": 0, "moved": 0, "left_out": []}


def test_the_encoder_stays_and_every_question_learns_again(settings: Settings) -> None:
    attribute = add_attribute(settings, "romance")
    [before] = VectorStore(settings.vectors).fingerprints()
    reread_images.run(settings)
    assert VectorStore(settings.vectors).fingerprints() == [before]
    with reading(settings) as session:
        row = session.get(type(attribute), attribute.id)
        assert row is not None
        assert row.answers_counter == attribute.answers_counter + 1


def test_killed_after_the_vectors_it_does_the_same_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(reread_images, "drop_thumbnails", die)
    with pytest.raises(Killed):
        reread_images.run(settings)
    assert {row.reading for row in assets(settings).values()} == {1}
    monkeypatch.undo()
    assert reread_images.run(settings)["moved"] == 3
    assert len(vectors(settings)) == len(FILES)


def test_what_vanished_waits_and_is_named(settings: Settings) -> None:
    (settings.workspace / "negative.tif").unlink()
    result = reread_images.run(settings)
    assert (result["looked_at"], result["moved"]) == (4, 2)
    assert [(item["item"], item["reason"]) for item in result["left_out"]] == [("negative.tif", "missing")]
    assert assets(settings)["negative.tif"].reading == 1


def test_without_its_encoder_the_others_go_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(_: Settings) -> None:
        tried.append(1)
        raise WeightsUnavailable("The weights are not here.")

    monkeypatch.setattr(reread_images, "AT_ONCE", 2)
    monkeypatch.setattr(reread_images, "loaded_encoder", fail)
    before = vectors(settings)
    with pytest.raises(WeightsUnavailable):
        reread_images.run(settings)
    rows = assets(settings)
    assert {name for name, row in rows.items() if row.reading == 1} == MOVED, "these wait"
    assert (rows["turned.tif"].width, rows["turned.tif"].height) == SIZE[::-1]
    assert not any(row.moved_at for row in rows.values())
    assert all(np.array_equal(before[name], vector) for name, vector in vectors(settings).items())
    assert len(tried) == 1, "loading can take long to fail"
    monkeypatch.undo()
    assert reread_images.run(settings) == {"looked_at": 3, "moved": 3, "left_out": []}


def test_what_is_left_out_reaches_the_screen_once(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Without a log of its own a command prints warnings; it prints the messages itself."""
    (settings.workspace / "negative.tif").unlink()
    with caplog.at_level("INFO", logger="attune.reread"):
        [item] = reread_images.run(settings)["left_out"]
    [line] = [record for record in caplog.records if item["message"] in record.getMessage()]
    assert line.levelname == "INFO"


def test_thumbnails_of_before_are_not_shown(settings: Settings) -> None:
    asset = assets(settings)["negative.tif"]
    path = media.thumbnail_path(settings, asset.digest, 256)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    fresh = media.thumbnail(settings, asset)
    assert fresh != b"old"
    path.write_bytes(b"old")
    reread_images.run(settings)
    assert media.thumbnail(settings, assets(settings)["negative.tif"]) == fresh


def test_a_new_twin_takes_no_old_vector(settings: Settings) -> None:
    content = FILES["negative.tif"]
    (settings.workspace / "twin.tif").write_bytes(content)
    with writing(settings) as session:
        known = {"width": 1, "height": 1, "added_at": now()}
        uri, digest = str(settings.workspace / "twin.tif"), digest_bytes(content)
        session.add(Asset(asset_id="twin.tif", title_id="t", uri=uri, digest=digest, **known))
    embed.run(settings)
    assert float(vectors(settings)["twin.tif"] @ vectors(settings)["negative.tif"]) < 0.999
    reread_images.run(settings)
    assert float(vectors(settings)["twin.tif"] @ vectors(settings)["negative.tif"]) > 0.999


def test_a_removed_asset_is_not_looked_at(settings: Settings) -> None:
    with writing(settings) as session:
        session.execute(update(Asset).where(Asset.asset_id == "profile.png").values(removed_at=now()))
    assert reread_images.run(settings)["moved"] == 2
    assert assets(settings)["profile.png"].reading == 1


def test_an_encoder_that_comes_back_embeds_them_again(settings: Settings) -> None:
    store, past = VectorStore(settings.vectors), Fingerprint("test", "past", "w", 8)
    store.append(past, list(FILES), np.eye(8, dtype=np.float32)[: len(FILES)])
    reread_images.run(settings)
    assert store.ids(past) == set(FILES), "versions that were published with it still score these images"
    assert switch_encoder._drop_older_readings(settings, loaded_encoder(settings).fingerprint) == 0
    assert switch_encoder._drop_older_readings(settings, past) == len(MOVED)
    assert VectorStore(settings.vectors).missing(past, list(FILES)) == [name for name in FILES if name in MOVED]
