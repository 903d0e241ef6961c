"""The job `fine_tune` on real images: it gains, its version is measured, pulled, applied, and never used by itself."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate, load
from attune.labeler.explore.similar import similar
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves, towers
from attune.models.catalog.manifest import SPACES, Reference
from attune.models.catalog.pull_probe import pull_space
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import CatalogError, DataError, EncoderError, NotEnoughLabels
from attune.models.files.atomic import digest_bytes, write_bytes
from attune.models.similarity.network_tower import tuned_encoder
from attune.models.similarity.space_folder import read_folder
from attune.models.similarity.space_version import card_bytes
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed, fine_tune, prepare_similar
from tests.support import factories

STRIPES = ("across", "down", "wide across", "wide down")
COUNT = 260
ASKED: dict[str, Any] = {"column": "run", "blocks": 2, "epochs": 2, "tuned": False, "who": "ana"}


def striped(number: int) -> bytes:
    """Stripes of any two colours: the encoder sees the colours, and the column says how the stripes run."""
    rng = np.random.default_rng(number)
    kind, period = number % 4, 8 if number % 4 < 2 else 20
    wave = (np.arange(96) + int(rng.integers(period))) % period < period // 2
    mask = np.broadcast_to(wave[:, None] if kind % 2 else wave[None], (96, 96))
    colours = rng.integers(0, 256, (2, 3))
    pixels = np.where(mask[..., None], colours[0], colours[1]) + rng.normal(0, 12, (96, 96, 3))
    out = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Embedded images of stripes, each a title of its own, whose column `run` says how they run."""
    settings = reader.build(
        {}, workspace=tmp_path_factory.mktemp("tuned"), redis_url="redis://127.0.0.1:1/0", encoder=str(ENCODER_CONFIG),
        pretrained=str(ENCODER_WEIGHTS), resize_mode=ENCODER_RESIZE_MODE,
    )  # fmt: skip
    factories.newest(settings)
    factories.add_assets(settings, COUNT)
    (settings.workspace / "images").mkdir()
    with writing(settings) as session:
        for number, asset in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            content = striped(number)
            Path(asset.uri).write_bytes(content)
            asset.digest, asset.title_id = digest_bytes(content), f"title-{number}"
            asset.columns = {
                "run": STRIPES[number % 4] if number < COUNT - 10 else "",
                "rare": "a" if number < 60 else "b" * (number < 120),
            }
    embed.run(settings)
    yield settings
    engine(settings.records_url).dispose()


@pytest.fixture(scope="module")
def made(pool: Settings) -> dict[str, Any]:
    """What the job says of its version; it was stopped after its first epoch, and went on."""
    epochs: list[int] = []

    def stopped(path: Path, content: bytes) -> None:
        write_bytes(path, content)
        epochs.append(len(epochs))
        if len(epochs) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fine_tune, "write_bytes", stopped)
        with pytest.raises(KeyboardInterrupt):
            fine_tune.run(pool, **ASKED)
    return fine_tune.run(pool, **ASKED)


def test_training_gains_and_the_card_compares_with_the_projection_by_pairs(
    pool: Settings, made: dict[str, Any]
) -> None:
    with reading(pool) as session:
        space, manifest = learned.load(learned.find(session, Reference("taste", "1", SPACES)))
    gains, network = made["gains"], manifest.facts.network or {}
    assert max(gains) == gains[made["best_epoch"]] > gains[0]
    assert (network["base"], network["blocks"]) == (load(pool).fingerprint.to_dict(), 2)
    assert 0 < network["trained"] < network["weights"]
    measures = manifest.facts.measures or {}
    for name, difference in measures["against_projection"].items():
        mine, theirs = (measures[method][name]["value"] for method in ("space", "projection"))
        assert difference["value"] == pytest.approx(mine - theirs, abs=2e-4)
        assert difference["lo"] <= difference["value"] <= difference["hi"]
    assert "- P@10: " in card_bytes(manifest.facts).decode()
    assert space.dimension == load(pool).dimension


def test_a_stopped_job_goes_on_after_its_last_epoch(pool: Settings, made: dict[str, Any]) -> None:
    assert made["epochs"] == ASKED["epochs"]
    assert not list((pool.workspace / "cache" / "fine-tune").iterdir())
    again = fine_tune.run(pool, **ASKED)
    assert (again["version"], again["gains"]) == (1, made["gains"])


def test_a_new_version_is_never_used_by_itself_and_needs_its_vectors_first(
    pool: Settings, made: dict[str, Any]
) -> None:
    with reading(pool) as session:
        assert learned.champion(session) is None
    with pytest.raises(DataError, match="no image went through it yet"):
        space_moves.promote(pool, "taste", "1", "it gains", "ana")
    done = prepare_similar.run(pool, version=made["version"])
    assert done["embedded"] == COUNT
    space_moves.promote(pool, "taste", "1", "it gains", "ana")
    with reading(pool) as session:
        row = learned.champion(session)
        assert row is not None
        assert not towers.waiting(pool, session, row)
    found = similar(pool, like_of(pool), "taste", top=10)
    assert len(found.hits) == 10
    assert found.of == COUNT - 1 - len(found.twins)


def test_the_pulled_files_make_the_vectors_that_the_job_made(
    pool: Settings, made: dict[str, Any], tmp_path: Path
) -> None:
    prepare_similar.run(pool, version=1)
    folder = pull_space("space:taste@1", tmp_path, pool.catalog_address, cache=tmp_path / "cache").folder
    space, facts = read_folder(folder)
    tuned = tuned_encoder(load(pool), (folder / "tower.safetensors").read_bytes())
    assert tuned.fingerprint.to_dict() == facts.encoder
    with reading(pool) as session:
        asset = session.scalars(select(Asset).order_by(Asset.id)).first()
    assert asset is not None
    with Image.open(asset.uri) as image:
        x = tuned.encode_images([image.convert("RGB")])
    kept = VectorStore(pool.vectors).lookup(Fingerprint.from_dict(dict(facts.encoder)), [asset.asset_id])
    np.testing.assert_allclose(x[0], kept[asset.asset_id], atol=2e-3)
    plain = load(pool).encode_images([Image.open(asset.uri).convert("RGB")])
    assert float(plain[0] @ x[0]) < 0.9999, "the pool's own encoder is left as it was"
    assert space.vectors(x).shape[0] == 1


def test_lost_weights_are_named_with_the_way_out(pool: Settings, made: dict[str, Any]) -> None:
    path = pool.workspace / "catalog" / "spaces" / "taste" / "1" / "tower.safetensors"
    content = path.read_bytes()
    path.write_bytes(b"broken")
    try:
        with pytest.raises(CatalogError, match="Restore it from a backup"):
            space_moves.promote(pool, "taste", "1", "again", "ana", alias="challenger")
    finally:
        path.write_bytes(content)


def test_too_few_images_are_counted(pool: Settings) -> None:
    with pytest.raises(NotEnoughLabels, match=r"Fine-tuning needs 100, 20 and 20"):
        fine_tune.run(pool, column="rare")


def test_without_images_the_way_out_is_named(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    assets = factories.add_assets(settings, 40)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 4)
    VectorStore(settings.vectors).append(made, [one.asset_id for one in assets], np.eye(4)[np.arange(40) % 4])
    with writing(settings) as session:
        activate(session, made)
    with pytest.raises(EncoderError, match="attune spaces learn taste"):
        fine_tune.run(settings)


def like_of(settings: Settings) -> str:
    """The id of one image."""
    with reading(settings) as session:
        return str(session.scalar(select(Asset.asset_id).order_by(Asset.id)))
