"""Layers of the sample encoder and colours: resumable to the image, a broken image stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS
from attune.labeler.settings import Settings
from attune.labeler.spaces import spaces
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderError
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import compute_spaces, embed, make_clusters
from tests.support import factories

pytestmark = pytest.mark.torch

BROKEN = 3


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Thirty embedded images, one of which has vanished since."""
    settings = reader.build(
        {},
        workspace=tmp_path_factory.mktemp("spaces"),
        redis_url="redis://127.0.0.1:1/0",
        encoder=str(ENCODER_CONFIG),
        pretrained=str(ENCODER_WEIGHTS),
        resize_mode=ENCODER_RESIZE_MODE,
        embed_batch=8,
    )
    factories.newest(settings)
    assets = factories.add_assets(settings, 30, images=True)
    embed.run(settings)
    Path(assets[BROKEN].uri).unlink()
    yield settings
    engine(settings.records_url).dispose()


def colours_of(path: str) -> list[float]:
    with Image.open(path) as image:
        return [float(value) for value in np.asarray(image.convert("RGB")).mean(axis=(0, 1))]


def test_a_killed_job_goes_on_at_the_image_where_it_was(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(done: int, total: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_spaces.run(pool, killed, names=["layer:0", "colour"])
    with reading(pool) as session:
        before = {name: spaces.fingerprint_of(session, name) for name in ("layer:0", "colour")}
    read: list[str] = []
    read_asset = embed.read_asset

    def watched(settings: Settings, asset: Asset) -> bytes:
        read.append(asset.asset_id)
        return read_asset(settings, asset)

    monkeypatch.setattr(embed, "read_asset", watched)
    done = compute_spaces.run(pool, names=["layer:0", "colour"])
    assert len(read) == 15  # the images after the second batch, and the broken one again
    assert [item["reason"] for item in done["left_out"]] == ["missing"]
    assert done["computed"] == 14
    store = VectorStore(pool.vectors)
    with reading(pool) as session:
        assert before == {name: spaces.fingerprint_of(session, name) for name in before}
    assert all(made is not None and len(store.ids(made)) == 29 for made in before.values())
    again = compute_spaces.run(pool, names=["layer:0", "colour"])
    assert again["computed"] == 0


def test_layers_are_listed_from_early_to_late_and_can_be_clustered(pool: Settings) -> None:
    done = compute_spaces.run(pool)
    assert done["spaces"][0] == "layer:0"
    names = [row.name for row in spaces.listed(pool)]
    assert names[0] == "final"
    assert [name for name in names if name.startswith("layer:")] == done["spaces"]
    made = make_clusters.run(pool, k=3, space=done["spaces"][-1])
    assert made["assets"] == 29


@pytest.mark.parametrize(("name", "share"), [("colour", 0.9), ("layer:0", 0.9)])
def test_neighbours_in_early_spaces_have_similar_colours(pool: Settings, name: str, share: float) -> None:
    compute_spaces.run(pool, names=[name])
    with reading(pool) as session:
        view = spaces.open_space(pool, session, name)
        uris = dict(session.execute(select(Asset.asset_id, Asset.uri)).all())
    rows = view.pool.rows(np.arange(len(view.pool)))
    colours = np.stack([colours_of(uris[id_]) for id_ in view.pool.asset_ids])
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    near = np.take_along_axis(distance, np.argsort(-cosines, axis=1)[:, :3], axis=1)
    assert near.mean() < share * distance[~np.eye(len(rows), dtype=np.bool_)].mean()


def test_a_refit_is_a_new_version_and_the_old_one_stays(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute_spaces, "ROWS_AT_ONCE", 7)
    compute_spaces.run(pool, names=["layer:1"])
    with reading(pool) as session:
        old = spaces.fingerprint_of(session, "layer:1")
        fewer = set(session.scalars(select(Asset.id).order_by(Asset.id).limit(12)))
    monkeypatch.setattr(compute_spaces, "SAMPLE", len(fewer))  # another sample: other components
    done = compute_spaces.run(pool, names=["layer:1"], refit=True)
    with reading(pool) as session:
        new = spaces.fingerprint_of(session, "layer:1")
    assert old is not None
    assert new is not None
    assert new.digest != old.digest
    assert done["computed"] == len(VectorStore(pool.vectors).ids(new)) == len(VectorStore(pool.vectors).ids(old)) == 29
    assert compute_spaces.run(pool, names=["layer:1"])["computed"] == 0, "the new version is the one that goes on"
    (row,) = [one for one in spaces.listed(pool) if one.name == "layer:1"]
    assert (row.digest, row.measures["fitted_on"], row.outgrown) == (new.digest, 30, 0)


def test_a_space_keeps_what_is_near_the_same_images_in_each(pool: Settings) -> None:
    compute_spaces.run(pool, names=["layer:0", "colour"])
    strips = {one.name: one.measures.get("nearest") for one in spaces.listed(pool)}
    assert [one[0] for one in strips["colour"]] == [one[0] for one in strips["layer:0"]]
    assert all(len(set(one)) == 1 + spaces.STRIP for one in strips["colour"])


def test_a_layer_that_is_not_there_is_told_with_those_that_are(pool: Settings) -> None:
    with pytest.raises(EncoderError, match="layer:0 to layer:4"):
        compute_spaces.run(pool, names=["layer:77"])


def test_ready_made_vectors_have_no_layers_but_colours(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    factories.add_assets(settings, 3, images=True)
    with writing(settings) as session:
        activate(session, Fingerprint("external", "vectors", "external:" + "0" * 64, 4))
    with pytest.raises(EncoderError, match="attune spaces layers colour"):
        compute_spaces.run(settings, names=["layer:0"])
    assert compute_spaces.run(settings, names=["colour"])["computed"] == 3
